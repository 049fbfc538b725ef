"""The responsive layout as a pure function: which panel stands where on a screen of any size.

A screen is a stack of bands. Each band names the heights it can use well; bands that matter
least go first when room is short, and grow in order of rank when there is room to give away.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from tokentop.views.tui.draw.layout_inputs import LayoutInputs

Border = Literal["bare", "rule", "frame"]


_TALL = 44  # rows from which the history joins the dashboard


class Placement(NamedTuple):
    """One panel's place in cells; `chrome` says how it is set off."""

    panel: str
    x: int
    y: int
    width: int
    height: int
    border: Border = "bare"


class Band(NamedTuple):
    """Panels side by side with their shares of the width, and the heights they use well.

    A first step of 0 means: only where there is room. Bands grow in order of `rank`, `late` ones
    after all others. `elastic` bands take what nobody wants, once they have grown at all.
    """

    panels: tuple[tuple[str, int], ...]
    rank: int
    steps: tuple[int, ...]
    border: Border = "bare"
    inset: int = 0
    flex: bool = False
    grow_last: bool = False


def arrange(width: int, height: int, inputs: LayoutInputs) -> tuple[Placement, ...]:
    """The panels of a screen of `width` x `height` cells, top to bottom, none overlapping."""
    bands = _shown(_bands(width, height, inputs), inputs.hidden)
    heights = _heights(bands, max(0, height))
    named = _without_strip(bands, inputs)
    if named and _whole(named, tall := _heights(named, max(0, height))):
        bands, heights = named, tall
    placed: list[Placement] = []
    y = 0
    for band, rows in zip(bands, heights, strict=True):
        placed += _across(band, y, rows, width) if rows else ()
        y += rows
    return tuple(placed)


def _bands(width: int, height: int, inputs: LayoutInputs) -> list[Band]:
    framed = width >= 100 and height >= 36
    if inputs.compact:
        return _strip(width)
    if inputs.empty:
        return _welcome(framed)
    if framed:
        return _framed(inputs, height) if inputs.has_stack else _framed_engines(inputs, height)
    if width < 56 or height < 18:
        return _small(inputs, width)
    return _ruled(inputs, height) if inputs.has_stack else _ruled_engines(inputs, height)


def _without_strip(bands: Sequence[Band], inputs: LayoutInputs) -> list[Band]:
    """The bands with the whole engines' table in the strip's place; none where there is no table.

    The strip would repeat the table; where the table cannot be whole, the strip names them all.
    """
    at = [i for i, b in enumerate(bands) if ("engines", 1) in b.panels]
    if not at or inputs.has_stack:
        return []
    edge = 3 if bands[at[0]].border == "frame" else 1
    table = bands[at[0]]._replace(steps=(0, edge + inputs.engine_rows), grow_last=False)
    kept = [table if i == at[0] else b for i, b in enumerate(bands)]
    return [b for b in kept if ("services", 1) not in b.panels]


def _whole(bands: Sequence[Band], heights: Sequence[int]) -> bool:
    """True where every engine has its row and no other panel has gone for it."""
    table = next(i for i, b in enumerate(bands) if ("engines", 1) in b.panels)
    seen = heights[table] >= bands[table].steps[-1]
    return seen and all(h > 0 or b.steps[0] == 0 for b, h in zip(bands, heights, strict=True))


def _strip(width: int) -> list[Band]:
    inset = 1 if width >= 20 else 0
    return [
        Band((("header", 1),), 1, (1,)),
        Band((("strip", 1),), 0, (1, 6), inset=inset),
        Band((("rest", 1),), 3, (0,), flex=True),
        Band((("footer", 1),), 2, (1,)),
    ]


def _welcome(framed: bool) -> list[Band]:
    return [
        Band((("header", 1),), 1, (1,)),
        Band(
            (("banner", 1),),
            3,
            (5,) if framed else (2,),
            "frame" if framed else "bare",
            0 if framed else 1,
        ),
        Band((("welcome", 1),), 0, (1,), inset=1, flex=True),
        Band(
            (("services", 1),),
            2,
            (4,) if framed else (1, 2),
            "frame" if framed else "bare",
            0 if framed else 1,
        ),
        Band((("footer", 1),), 4, (1,)),
    ]


def _framed(inputs: LayoutInputs, height: int) -> list[Band]:
    rows = max(1, inputs.gpu_rows)
    pool = _rising(3 + min(rows, 8), 3 + rows)
    tokens = (3, 4, 5, 7, 8) if inputs.engines else (0,)
    return [
        Band((("header", 1),), 0, (1,)),
        Band((("banner", 1),), 1, (5,), "frame"),
        Band((("slots", 3), ("multiplier", 2)), 2, (7, 9, 11, 13), "frame"),
        Band((("gpus", 1),), 3, pool, "frame", flex=rows > 16),
        Band((("tokens", 1),), 7, tokens, "frame"),
        Band((("history", 1),), 9, (0, 8, 12), "frame", flex=True) if height >= _TALL
        else Band((), 9, (0,)),
        Band((("metrics", 4), ("capacity", 5), ("cloud", 6)), 4, (5, 7, 8, 11), "frame"),
        Band((("economy", 1),), 8, (1,), inset=2),
        Band((("services", 1),), 5, (4,), "frame"),
        Band((("footer", 1),), 6, (1,)),
    ]  # fmt: skip


def _framed_engines(inputs: LayoutInputs, height: int) -> list[Band]:
    """A box without the stack: no multiplier, no rented capacity; engines one by one instead."""
    rows = max(1, inputs.gpu_rows)
    pool = (*_rising(3 + min(rows, 8), 3 + rows), 4 + rows)  # the last one is the legend's
    table = (0, 5, *_rising(3 + min(inputs.engines, 3), 3 + inputs.engines))
    return [
        Band((("header", 1),), 0, (1,)),
        Band((("banner", 1),), 1, (5,), "frame"),
        Band((("slots", 1),), 2, (6, 7, 9), "frame"),
        Band((("gpus", 1),), 3, pool, "frame", flex=rows > 16),
        Band((("tokens", 1),), 4, (6, 7, 8), "frame"),
        Band((("history", 1),), 9, (0, 8), "frame", flex=inputs.engines <= 8) if height >= _TALL
        else Band((), 9, (0,)),
        Band((("engines", 1),), 7, tuple(sorted(set(table))), "frame", flex=inputs.engines > 8),
        Band((("services", 1),), 5, (4,) if inputs.engines <= 14 else (3,), "frame"),
        Band((("footer", 1),), 6, (1,)),
    ]  # fmt: skip


def _ruled_engines(inputs: LayoutInputs, height: int) -> list[Band]:
    rows = max(1, inputs.gpu_rows)
    pool = _rising(1 + min(rows, 8), 1 + rows)
    table = (0, *_rising(2 + min(inputs.engines, 2), 1 + max(1, inputs.engines)))
    return [
        Band((("header", 1),), 0, (1,)),
        Band((("banner", 1),), 1, (2,), inset=1),
        Band((("slots", 1),), 5, (2, 4, 6), inset=1, grow_last=True),
        Band((("gpus", 1),), 3, pool, "rule", 1, flex=rows > 8),
        Band((("tokens", 1),), 4, (3, 5, 6), "rule", 1),
        Band((("history", 1),), 12, (0, 6, 9), "rule", 1, True, True) if height >= _TALL
        else Band((), 12, (0,)),
        Band((("engines", 1),), 7, tuple(sorted(set(table))), "rule", 1, flex=True, grow_last=True),
        Band((("services", 1),), 2, (1, 2), inset=1),
        Band((("footer", 1),), 6, (1,)),
    ]  # fmt: skip


def _ruled(inputs: LayoutInputs, height: int) -> list[Band]:
    rows = max(1, inputs.gpu_rows)
    pool = _rising(1 + min(rows, 8), 1 + rows)
    return [
        Band((("header", 1),), 0, (1,)),
        Band((("banner", 1),), 1, (2,), inset=1),
        Band((("slots", 1),), 5, (2, 4), inset=1, grow_last=True),
        Band((("multiplier", 1),), 4, (1, 6, 8, 10), "rule", 1, flex=True, grow_last=True),
        Band((("gpus", 1),), 3, pool, "rule", 1, flex=rows > 8),
        Band((("history", 1),), 12, (0, 6, 9) if height >= _TALL else (0,), "rule", 1, True, True),
        Band((("metrics", 1),), 7, (1,), inset=1),
        Band((("tokens", 1),), 9, (2,), "rule", 1) if inputs.engines else Band((), 9, (0,)),
        Band((("capacity", 1),), 8, (1, 2), "rule", 1),
        Band((("cloud", 1),), 11, (2, 3), "rule", 1, grow_last=True),
        Band((("economy", 1),), 10, (1,), inset=1),
        Band((("services", 1),), 2, (1, 2), inset=1),
        Band((("footer", 1),), 6, (1,)),
    ]


def _small(inputs: LayoutInputs, width: int) -> list[Band]:
    rows = max(1, inputs.gpu_rows)
    inset = 1 if width >= 30 else 0
    stack = (
        Band((("multiplier", 1),), 4, (1,), inset=inset),
        Band((("metrics", 1),), 7, (1,), inset=inset),
        Band((("capacity", 1),), 8, (1,), inset=inset),
    )
    return [
        Band((("header", 1),), 3, (1,)),
        Band((("banner", 1),), 0, (1, 2), inset=inset),
        Band((("slots", 1),), 1, (1, 2), inset=inset),
        *(stack[:1] if inputs.has_stack else ()),
        Band((("gpus", 1),), 2, _rising(min(rows, 4), rows), inset=inset, flex=True),
        *((Band((("tokens", 1),), 4, (1, 2), inset=inset),) if inputs.engines else ()),
        *(stack[1:] if inputs.has_stack else ()),
        Band((("services", 1),), 6, (1,), inset=inset),
        Band((("footer", 1),), 5, (1,)),
    ]


def _rising(least: int, most: int) -> tuple[int, ...]:
    """From least to most in strides of four."""
    return tuple(sorted({*range(least, most, 4), most}))


def _shown(bands: Sequence[Band], hidden: frozenset[str]) -> list[Band]:
    kept = [b._replace(panels=tuple(p for p in b.panels if p[0] not in hidden)) for b in bands]
    return [b for b in kept if b.panels]


def _heights(bands: Sequence[Band], height: int) -> list[int]:
    """A height for each band, their sum at most `height`; 0 leaves a band out."""
    rows = [b.steps[0] for b in bands]
    by_rank = sorted(range(len(bands)), key=lambda i: bands[i].rank)
    for i in reversed(by_rank):
        if sum(rows) <= height:
            break
        rest = sum(rows) - rows[i]
        rows[i] = height - rest if i == by_rank[0] else 0
    gone = {i for i in by_rank if rows[i] == 0 and bands[i].steps[0] > 0}
    spare = height - sum(rows)
    for grow_last in (False, True):
        growing = [i for i in by_rank if bands[i].grow_last == grow_last and i not in gone]
        spare = _grown(bands, rows, growing, spare)
    return _given(bands, rows, [i for i in by_rank if i not in gone], spare)


def _grown(bands: Sequence[Band], rows: list[int], growing: list[int], spare: int) -> int:
    """One step a band and round, in order, until no step fits; what is still spare."""
    grown = True
    while grown:
        grown = False
        for i in growing:
            step = next((s for s in bands[i].steps if s > rows[i]), None)
            if step is not None and step - rows[i] <= spare:
                spare -= step - rows[i]
                rows[i] = step
                grown = True
    return spare


def _given(bands: Sequence[Band], rows: list[int], by_rank: list[int], spare: int) -> list[int]:
    """What is left over goes to the last elastic band that has grown, else to the GPU pool."""
    takers = [i for i in by_rank if bands[i].flex and _opened(bands[i], rows[i])]
    if not takers:
        takers = sorted((i for i in by_rank if rows[i] > 0), key=lambda i: bands[i].steps[-1])
    if spare > 0 and takers:
        rows[takers[-1]] += spare
    return rows


def _opened(band: Band, rows: int) -> bool:
    return len(band.steps) == 1 or rows >= band.steps[1]


def _across(band: Band, y: int, height: int, width: int) -> list[Placement]:
    """One band's panels side by side, sharing the width to the last cell."""
    left, room = band.inset, max(1, width - 2 * band.inset)
    if band.inset and width < 3:
        left, room = 0, width
    total = sum(share for _, share in band.panels)
    placed: list[Placement] = []
    before = 0
    for panel, share in band.panels:
        start, end = room * before // total, room * (before + share) // total
        before += share
        if end > start and panel != "rest":
            placed.append(Placement(panel, left + start, y, end - start, height, band.border))
    return placed
