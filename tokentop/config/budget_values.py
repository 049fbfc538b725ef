"""Values of a budget's keys: a time zone, and shares of its limit."""

from tokentop.config.key import Key
from tokentop.config.problems import printable
from tokentop.config.values import Bad, toml


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
