"""Numbers that may be unknown: ratios, and sums over what is known."""

from collections.abc import Iterable

from tokentop.domain.text import known
from tokentop.light_typing import TypeVar

N = TypeVar("N", int, float)


def clamp01(value: float) -> float:
    return min(1.0, max(0.0, value))


def ratio(part: float | None, whole: float | None) -> float | None:
    """part / whole, not below 0; unknown where either is unknown or the whole is 0."""
    if not known(part) or not known(whole) or whole <= 0:
        return None
    share = max(0.0, part / whole)
    return share if known(share) else None


def total(values: Iterable[N | None]) -> N | None:
    """The sum of the known values; None where none is."""
    found = [value for value in values if value is not None]
    return sum(found) if found else None


def whole(value: float | None) -> int | None:
    """Rounded to a whole number."""
    return None if value is None else round(value)
