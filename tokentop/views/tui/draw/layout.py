"""The dashboard's layout as a pure function of what every panel declares of itself.

A screen is a stack of bands, each a panel or a few side by side. The band that matters least goes
first when room is short; bands grow in order of rank when there is room to give away.
"""

from collections.abc import Sequence

from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.layout_inputs import LayoutInputs

Border = Literal["bare", "rule", "frame"]
Size = Literal["large", "medium", "small"]
Content = Literal["stack", "engines", "gpus", "empty", "compact"]

Sizes = tuple[Size, ...]
Contents = tuple[Content, ...]

LARGE: Sizes = ("large",)
MEDIUM: Sizes = ("medium",)
SMALL: Sizes = ("small",)
SIZES: Sizes = ("large", "medium", "small")
STACK: Contents = ("stack",)  # the seven services, with or without engines beside them
ENGINES: Contents = ("engines",)  # a box with engines and no stack
GPUS: Contents = ("gpus",)  # GPUs and nothing that serves, or nothing has answered yet
NO_STACK: Contents = (*ENGINES, *GPUS)
ALL: Contents = (*STACK, *ENGINES, *GPUS)
EMPTY: Contents = ("empty",)
COMPACT: Contents = ("compact",)
_FLEX_OPENS = {"bare": 1, "rule": 3, "frame": 5}  # rows: a border alone would show nothing


class Placement(NamedTuple):
    """One panel's place in cells."""

    panel: str
    x: int
    y: int
    width: int
    height: int
    border: Border = "bare"


def edges(place: Placement) -> tuple[int, int]:
    """Rows of a table's place above its first row and below its last."""
    return {"frame": (2, 1), "rule": (1, 0), "bare": (0, 0)}[place.border]


class Place(NamedTuple):
    """One way for a panel to stand on screens of some `sizes` that show some `contents`.

    `steps` are the heights in rows that it uses well, rising; a first step of 0 means: only where
    there is room. The lowest `rank` stays longest and grows first, `grow_last` panels after all
    others; a `flex` one takes the rows that no panel wants, once it has grown at all. It needs a
    screen of `from_rows`; `inset` cells stay free at both sides of a screen `inset_from` cells
    wide. It stands in the registry's order, or under the panel `below`. Where it can have `whole`
    rows it takes the place of the panel it `replaces`. `share`: its parts of a SharedRow's width.
    """

    sizes: Sizes
    rank: int
    steps: tuple[int, ...]
    border: Border = "bare"
    inset: int = 0
    flex: bool = False
    grow_last: bool = False
    contents: Contents = (*STACK, *ENGINES)
    inset_from: int = 3
    from_rows: int = 0
    below: str = ""
    replaces: str = ""
    whole: int = 0
    share: int = 1


class SharedRow(NamedTuple):
    """A place in the row of `panel`, which stands before it: `share` parts of the width."""

    sizes: Sizes
    panel: str
    share: int
    contents: Contents = (*STACK, *ENGINES)
    from_rows: int = 0


Declared = tuple[str, Sequence[Place | SharedRow]]  # a panel's name, and all its places


class _Band(NamedTuple):
    """A row of panels with their shares of the width; the first one declares its heights."""

    place: Place
    panels: tuple[tuple[str, int], ...]


def rising(least: int, most: int) -> tuple[int, ...]:
    """Heights from least to most in strides of four."""
    return tuple(sorted({*range(least, most, 4), most}))


def arrange(
    panels: Sequence[Declared], width: int, height: int, inputs: LayoutInputs
) -> tuple[Placement, ...]:
    """The panels of a screen of `width` x `height` cells, top to bottom, none overlapping."""
    height = max(0, height)
    bands = _shown(_bands(panels, width, height, inputs), inputs.hidden)
    heights = _heights(bands, height)
    fewer = _with_replacement(bands)
    if fewer and _complete(fewer, taller := _heights(fewer, height)):
        bands, heights = fewer, taller
    placed: list[Placement] = []
    y = 0
    for band, rows in zip(bands, heights, strict=True):
        placed += _across(band, y, rows, width) if rows else ()
        y += rows
    return tuple(placed)


def size_of(width: int, height: int) -> Size:
    """The class of a screen: framed panels, ruled ones, or the essentials alone."""
    if width >= 100 and height >= 36:
        return "large"
    return "small" if width < 56 or height < 18 else "medium"


def content_of(inputs: LayoutInputs) -> Content:
    """What the dashboard is of."""
    if inputs.compact:
        return "compact"
    return "empty" if inputs.presence == "nothing" else inputs.presence


def _bands(
    panels: Sequence[Declared], width: int, height: int, inputs: LayoutInputs
) -> list[_Band]:
    """The bands top to bottom; of a panel's places the first one that applies counts."""
    size, content = size_of(width, height), content_of(inputs)
    chosen: list[tuple[str, Place | SharedRow]] = []
    for name, places in panels:
        found = [
            p for p in places
            if size in p.sizes and content in p.contents and height >= p.from_rows
        ]  # fmt: skip
        chosen += [(name, found[0])] if found else []
    bands: list[_Band] = []
    for name, place in _in_order(chosen):
        if isinstance(place, Place):
            bands.append(_Band(place, ((name, place.share),)))
        else:
            at = _find(bands, place.panel)
            bands[at] = bands[at]._replace(panels=(*bands[at].panels, (name, place.share)))
    return bands


def _in_order(chosen: list[tuple[str, Place | SharedRow]]) -> list[tuple[str, Place | SharedRow]]:
    """The panels as registered, those that stand `below` another one moved under it."""
    moved = [(n, p) for n, p in chosen if isinstance(p, Place) and p.below]
    ordered = [each for each in chosen if each not in moved]
    for name, place in moved:
        at = next(i for i, (other, _) in enumerate(ordered) if other == place.below)
        ordered.insert(at + 1, (name, place))
    return ordered


def _find(bands: Sequence[_Band], panel: str) -> int:
    return next(i for i, band in enumerate(bands) if panel in dict(band.panels))


def _shown(bands: Sequence[_Band], hidden: frozenset[str]) -> list[_Band]:
    kept = [b._replace(panels=tuple(p for p in b.panels if p[0] not in hidden)) for b in bands]
    return [b for b in kept if b.panels]


def _with_replacement(bands: Sequence[_Band]) -> list[_Band]:
    """The bands with a panel made whole in place of the one it replaces; none where none does."""
    at = next((i for i, b in enumerate(bands) if b.place.replaces), None)
    if at is None:
        return []
    place = bands[at].place
    whole = place._replace(steps=(0, place.whole), grow_last=False)
    kept = [b._replace(place=whole) if i == at else b for i, b in enumerate(bands)]
    return [b for b in kept if place.replaces not in dict(b.panels)]


def _complete(bands: Sequence[_Band], heights: Sequence[int]) -> bool:
    """True where the replacing panel is whole and no other panel was left out for it."""
    at = next(i for i, b in enumerate(bands) if b.place.replaces)
    kept = all(h > 0 or b.place.steps[0] == 0 for b, h in zip(bands, heights, strict=True))
    return kept and heights[at] >= bands[at].place.whole


def _heights(bands: Sequence[_Band], height: int) -> list[int]:
    """A height for each band, their sum at most `height`; 0 leaves a band out."""
    places = [band.place for band in bands]
    rows = [p.steps[0] for p in places]
    by_rank = sorted(range(len(places)), key=lambda i: places[i].rank)
    for i in reversed(by_rank):
        if sum(rows) <= height:
            break
        rest = sum(rows) - rows[i]
        rows[i] = height - rest if i == by_rank[0] else 0
    left = [i for i in by_rank if rows[i] > 0 or places[i].steps[0] == 0]
    spare = height - sum(rows)
    for grow_last in (False, True):
        growing = [i for i in left if places[i].grow_last == grow_last]
        spare = _grown(places, rows, growing, spare)
    return _filled(places, rows, left, spare)


def _grown(places: Sequence[Place], rows: list[int], growing: list[int], spare: int) -> int:
    """One step a band and round, in order, until no step fits; what is still spare."""
    grown = True
    while grown:
        grown = False
        for i in growing:
            step = next((s for s in places[i].steps if s > rows[i]), None)
            if step is not None and step - rows[i] <= spare:
                spare -= step - rows[i]
                rows[i] = step
                grown = True
    return spare


def _filled(places: Sequence[Place], rows: list[int], left: list[int], spare: int) -> list[int]:
    """What is spare goes to the last flex band that can use it, else to the tallest kind."""
    takers = [i for i in left if places[i].flex and _can_flex(places[i], rows[i], spare)]
    if not takers:
        takers = sorted((i for i in left if rows[i] > 0), key=lambda i: places[i].steps[-1])
    if spare > 0 and takers:
        rows[takers[-1]] += spare
    return rows


def _can_flex(place: Place, rows: int, spare: int) -> bool:
    if len(place.steps) > 1:
        return rows >= place.steps[1]
    return rows > 0 or spare >= _FLEX_OPENS[place.border]


def _across(band: _Band, y: int, height: int, width: int) -> list[Placement]:
    """One band's panels side by side, sharing the width to the last cell."""
    place = band.place
    left = place.inset if width >= place.inset_from else 0
    room = max(0, width - 2 * left)
    total = sum(share for _, share in band.panels)
    placed: list[Placement] = []
    before = 0
    for panel, share in band.panels:
        start, end = room * before // total, room * (before + share) // total
        before += share
        if end > start:
            placed.append(Placement(panel, left + start, y, end - start, height, place.border))
    return placed
