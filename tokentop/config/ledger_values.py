"""Values of the keys of ledger and budgets: a database, a time zone, shares of a limit."""

import re
from collections.abc import Callable

from tokentop.config.key import Key
from tokentop.config.problems import printable
from tokentop.config.values import Bad, toml
from tokentop.light_typing import Any


def zone(key: Key, raw: str) -> str | Bad:
    """A name of the IANA time zone database."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(raw).key
    except (ValueError, OSError, KeyError):  # KeyError: there is no such zone
        return Bad(
            f'"{printable(raw, 40)}" is no time zone that is known here; write it like '
            f'"{key.example}" (where the system knows none: pip install tzdata)'
        )


def shares(key: Key, raw: object) -> tuple[float, ...] | Bad:
    """Numbers in the key's range, ascending."""
    assert key.low is not None
    assert key.high is not None
    numbers = isinstance(raw, list | tuple) and all(type(each) in (int, float) for each in raw)
    if not isinstance(raw, list | tuple) or not numbers:
        return Bad(f"needs a list of numbers; write {key.leaf} = {toml(key.example)}")
    if not all(key.low < each <= key.high for each in raw):
        return Bad(f"has shares above {key.low:g} to {key.high:g} (0.8 is 80 %); "
                   f"write {key.leaf} = {toml(key.example)}")  # fmt: skip
    return tuple(sorted({float(each) for each in raw}))


def database(key: Key, raw: str) -> str | Bad:
    """PostgreSQL's URL; sentences never repeat it: it may hold a password."""
    start = r"postgres(?:ql)?://"
    if re.match(rf"{start}[^/?]*:[^/?]*@|.*[?&](ssl)?password=", raw, re.IGNORECASE):
        return Bad("holds a password; take it out and use password_env or password_file")
    if re.fullmatch(rf"{start}(?:[^@/?:]*@)?[!-?A-~]+", raw, re.IGNORECASE | re.ASCII):
        return raw
    return Bad(f'is no URL of PostgreSQL; write it like "{key.example}"')


CHECKS: dict[str, Callable[[Key, Any], object]] = {
    "database": database,
    "zone": zone,
    "shares": shares,
}
