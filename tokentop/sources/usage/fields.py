"""Figures of usage records: money and times as integers, text made safe, by several names."""

from datetime import UTC, datetime
from decimal import Decimal

from tokentop.sources.json_fields import Fields, as_number

SECONDS_BELOW = 1e11  # Unix seconds up to the year 5138; above are milli- or microseconds


class Unreadable(ValueError):
    """Why a record is no usage event, as the end of a sentence."""


def micro_usd(value: object) -> int | None:
    """USD as micro-USD, to the nearest; None for what is no number."""
    return _scaled(value, 1_000_000)


def thousandths(value: object) -> int | None:
    """Seconds as milliseconds, a share as thousandths, to the nearest."""
    return _scaled(value, 1000)


def _scaled(value: object, factor: int) -> int | None:
    """The shortest decimal text of a float is what its sender wrote; so 0.29 is not 0.28999."""
    number = as_number(value)
    return None if number is None else round(Decimal(repr(number)) * factor)


def microseconds(value: object) -> int:
    """A time as Unix microseconds: from seconds, milli- or microseconds, or ISO 8601 text.

    A text without an offset is UTC. Raises Unreadable.
    """
    number = as_number(value)
    if number is not None:
        if number < SECONDS_BELOW:
            return round(Decimal(repr(number)) * 1_000_000)
        return round(number * (1000 if number < SECONDS_BELOW * 1000 else 1))
    try:
        found = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise Unreadable("it has no time that can be read") from None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def counted(fields: Fields, name: str, *columns: str) -> int | None:
    """A count; what is there and is none (negative, a word) raises Unreadable: it would be lost."""
    found = fields.count(name, *columns)
    if name in fields.bad:
        raise Unreadable(f"its {name} tokens are no count")
    return found
