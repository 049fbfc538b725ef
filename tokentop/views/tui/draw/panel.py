"""What a panel declares of itself, and how it is drawn with its border."""

from collections.abc import Callable, Sequence

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import cell_width
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.kit.frame import framed, rule
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, ascii_lines, block, span_width
from tokentop.views.tui.draw.layout import Place, Placement, SharedRow
from tokentop.views.tui.draw.layout_inputs import LayoutInputs
from tokentop.views.tui.state import Name

Lines = Callable[[Snapshot, int, int, DrawOptions], list[Line]]
Heads = Callable[[Snapshot, int, int, DrawOptions], Line]
Summary = Callable[[Snapshot, DrawOptions], Line]
Title = Callable[[Snapshot, DrawOptions], str]
Places = Sequence[Place | SharedRow]


def _no_heads(_snapshot: Snapshot, _width: int, _height: int, _options: DrawOptions) -> Line:
    return []


def _no_summary(_snapshot: Snapshot, _options: DrawOptions) -> Line:
    return []


class Panel(NamedTuple):
    """One panel, as its own file declares it.

    `lines` draws its inside in exactly (width, height) cells, `heads` its column headings,
    `summary` the figure in its border; `style` is the frame's. `places` may depend on the layout's
    inputs. `ticks`: it shows an age or a countdown now, and so changes between two polls. `opens`
    is the view that a click on the panel opens from the dashboard.
    """

    name: str
    lines: Lines
    title: str | Title = ""
    summary: Summary = _no_summary
    heads: Heads = _no_heads
    style: Callable[[Snapshot], str] = lambda _: "frame"
    places: Places | Callable[[LayoutInputs], Places] = ()
    ticks: Callable[[Snapshot], bool] = lambda _: False
    opens: Name | None = None


def places_of(panel: Panel, inputs: LayoutInputs) -> Places:
    """Every place the panel may have."""
    return panel.places(inputs) if callable(panel.places) else panel.places


def draw_panel(
    panel: Panel, snapshot: Snapshot, place: Placement, options: DrawOptions
) -> list[Line]:
    """One panel with its frame or rule, exactly as large as its place."""
    if place.border == "frame" and place.height >= 3 and place.width >= 8:
        drawn = _framed(panel, snapshot, place, options)
    elif place.border == "rule" and place.height >= 2:
        drawn = _ruled(panel, snapshot, place, options)
    else:
        options = options._replace(summary_hidden=True)
        bare = panel.lines(snapshot, place.width, place.height, options)
        drawn = block(bare, place.width, place.height)
    return ascii_lines(drawn) if options.ascii else drawn


def title_of(panel: Panel, snapshot: Snapshot, options: DrawOptions) -> str:
    """What the panel is called in its border; empty for one without a border."""
    return panel.title if isinstance(panel.title, str) else panel.title(snapshot, options)


def _framed(panel: Panel, snapshot: Snapshot, place: Placement, options: DrawOptions) -> list[Line]:
    width, height = place.width - 4, place.height - 2
    heads = panel.heads(snapshot, width, height - 1, options) if height >= 2 else []
    body = panel.lines(snapshot, width, height - bool(heads), options)
    return framed(
        [heads, *body] if heads else body,
        title_of(panel, snapshot, options),
        panel.summary(snapshot, options),
        place.width,
        place.height,
        style=panel.style(snapshot),
    )


def _ruled(panel: Panel, snapshot: Snapshot, place: Placement, options: DrawOptions) -> list[Line]:
    """Under a rule; column headings sit in the rule itself, where the summary would be."""
    width, height = place.width, place.height - 1
    heads = panel.heads(snapshot, width, height, options)
    options = options._replace(summary_hidden=bool(heads))
    title = title_of(panel, snapshot, options)
    top = rule(title, [] if heads else panel.summary(snapshot, options), width)
    body = block(panel.lines(snapshot, width, height, options), width, height)
    return [_overlaid(top, heads, cell_width(title) + 4) if heads else top, *body]


def _overlaid(top: Line, heads: Line, free_from: int) -> Line:
    """The headings written into a rule with a blank around each, right of the title."""
    words = "".join(text for text, _ in heads)
    line = top[:2]
    x, end = span_width(line), span_width(top)
    while x < end:
        word = x < len(words) and x >= free_from and _near_heading(words, x)
        stop = x
        while (
            stop < end
            and (stop < len(words) and stop >= free_from and _near_heading(words, stop)) == word
        ):
            stop += 1
        text = words[x:stop].ljust(stop - x) if word else "─" * (stop - x)
        line.append((text, "dim" if word else "frame"))
        x = stop
    return line


def _near_heading(words: str, x: int) -> bool:
    """True on a heading and on the cell at either side of it."""
    return bool(words[max(0, x - 1) : x + 2].strip())
