"""The demo's three minutes, and curves over them."""

from bisect import bisect_right

from tokentop.light_typing import Final

LOOP_S: Final = 180.0

Points = tuple[tuple[float, float], ...]
"""(seconds into the loop, value), in rising order from 0 to LOOP_S."""


def value_at(points: Points, into: float) -> float:
    """The value on the straight line between the two points around `into`."""
    place = min(bisect_right(points, (into, float("inf"))), len(points) - 1)
    (start, low), (end, high) = points[place - 1], points[place]
    return low + (high - low) * (into - start) / (end - start)


def clamp(value: float, low: float, high: float) -> float:
    return min(high, max(low, value))
