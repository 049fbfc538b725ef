"""--since and --until: a span before now, or a date."""

import re

from tokentop.sources.usage.fields import Unreadable, microseconds

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def when(text: str, now_us: int) -> int:
    """Unix microseconds of `90m`, `7d`, `2026-11-01` or a date with a time (UTC without an offset).

    Raises ValueError with one sentence.
    """
    span = re.fullmatch(r"([0-9]{1,6})([smhdw])", text)
    if span:
        return now_us - int(span[1]) * _UNITS[span[2]] * 1_000_000
    try:
        return microseconds(text if "-" in text else None)
    except Unreadable:
        raise ValueError(f"{text[:40]!a} is neither a span like 7d nor a date") from None
