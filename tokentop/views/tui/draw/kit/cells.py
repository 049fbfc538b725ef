"""Fractions drawn in exactly as many cells as asked, whatever the numbers are.

None, NaN and infinity are unknown: a dotted bar, a gap in a line. Negative counts as empty,
over-full as full.
"""

from collections.abc import Sequence
from itertools import pairwise

from tokentop.domain.text import known

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_EIGHTHS_ASCII = " ---===##"
_LEVELS = "▁▂▃▄▅▆▇█"
_LEVELS_ASCII = "_.-:=+*#"


def bar(fraction: float | None, width: int, *, ascii: bool = False) -> str:  # noqa: A002
    """A bar of `width` cells filled to `fraction` in eighths; unknown is all dots.

    Only 0 draws an empty bar and only 1 a full one, so that 99.9 % never looks like 100 %.
    """
    width = max(0, width)
    if not known(fraction):
        return ("." if ascii else "·") * width
    glyphs = _EIGHTHS_ASCII if ascii else _EIGHTHS
    whole, part = divmod(_filled(fraction, 8 * width), 8)
    drawn = glyphs[8] * whole + (glyphs[part] if part else "")
    return drawn + " " * (width - len(drawn))


def _filled(fraction: float, steps: int) -> int:
    if fraction <= 0 or steps == 0:
        return 0
    if fraction >= 1:
        return steps
    return min(steps - 1, max(1, round(fraction * steps)))


def segments(
    parts: Sequence[tuple[str, float | None]], total: float | None, width: int
) -> list[tuple[str, int]]:
    """The parts' widths in whole cells, in order, summing to `width` (largest remainder).

    What `total` has beyond the parts comes last under the name "". A part that is not 0 gets at
    least one cell where the width allows; an unknown part counts as 0.
    """
    names = [name for name, _ in parts]
    weights = [_weight(value) for _, value in parts]
    scale = max([*weights, _weight(total)])
    if scale > 0:
        weights = [weight / scale for weight in weights]
        rest = max(0.0, _weight(total) / scale - sum(weights))
    else:
        rest = 1.0
    cells = _apportion([*weights, rest], max(0, width))
    drawn = list(zip([*names, ""], cells, strict=True))
    return drawn if drawn[-1][1] else drawn[:-1]


def _weight(value: float | None) -> float:
    return max(0.0, float(value)) if known(value) else 0.0


def _apportion(weights: list[float], width: int) -> list[int]:
    """`width` shared out by weight; the smallest non-zero ones are lifted to 1 by the largest."""
    total = sum(weights)
    exact = [weight / total * width for weight in weights]
    cells = [int(share) for share in exact]
    by_remainder = sorted(range(len(cells)), key=lambda i: cells[i] - exact[i])
    for place in by_remainder[: width - sum(cells)]:
        cells[place] += 1
    for place, weight in enumerate(weights):
        donor = max(range(len(cells)), key=cells.__getitem__)
        if weight > 0 and cells[place] == 0 and cells[donor] > 1:
            cells[place] += 1
            cells[donor] -= 1
    return cells


def sparkline(
    values: Sequence[float | None],
    width: int,
    *,
    top: float | None = 1.0,
    ascii: bool = False,  # noqa: A002
) -> str:
    """The last `width` values as levels between 0 and `top`, the newest rightmost; gaps blank."""
    if width <= 0:
        return ""
    levels = _LEVELS_ASCII if ascii else _LEVELS
    drawn = "".join(_level(value, top, levels) for value in values[-width:])
    return drawn.rjust(width)


def thinned(values: Sequence[float | None], room: int, first: int = 0) -> list[float | None]:
    """At most `room` values, each the highest of its share, so that no peak is lost.

    `first` is the number of the first value: shares begin at fixed numbers, so that those of old
    values stay as they are while new ones come.
    """
    each = -(-len(values) // max(1, room))
    if each <= 1:
        return list(values)
    starts = [0, *range(each - first % each, len(values), each)]
    shares = (values[a:b] for a, b in pairwise([*starts, len(values)]))
    drawn = [max((v for v in share if known(v)), default=None) for share in shares]
    return drawn[-room:]


def _level(value: float | None, top: float | None, levels: str) -> str:
    if not known(value):
        return " "
    fraction = value / top if known(top) and top > 0 else float(value > 0)
    return levels[min(7, max(0, int(min(1.0, max(0.0, fraction)) * 8)))]
