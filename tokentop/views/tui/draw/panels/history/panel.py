"""The last minutes of demand as an area in eighths."""

from collections.abc import Callable, Sequence
from operator import attrgetter

from tokentop.domain.history import Sample, series, span_of
from tokentop.domain.presence import presence
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import fit, known
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, sentence
from tokentop.views.tui.draw.layout import ENGINES, GPUS, LARGE, MEDIUM, STACK, Place
from tokentop.views.tui.draw.layout_inputs import LayoutInputs
from tokentop.views.tui.draw.panel import Panel, Places

_LEVELS = " ▁▂▃▄▅▆▇█"
_LABEL = 5


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The chart in exactly `height` lines of `width` cells; gaps stay gaps."""
    figure = _value(snapshot)
    if sum(known(figure(s)) for s in options.samples) < 2 or height < 2 or width < 20:
        return sentence("The history of the last hour starts here.", width, height)
    span_s = span_of(options.samples, options.now)
    columns = series(options.samples, figure, options.now, span_s, width - _LABEL)
    rows = [_row(columns, row, height) for row in range(height)]
    return block(rows, width, height)


def _value(snapshot: Snapshot) -> Callable[[Sample], float | None]:
    """What the area is of: demand, and of a box of GPUs their utilisation."""
    return attrgetter("gpu_utilization" if presence(snapshot) == "gpus" else "utilization")


def _row(columns: Sequence[float | None], row: int, height: int) -> Line:
    label = {0: "100%", height - 1: "0%", height // 2: "50%" if height >= 7 else ""}.get(row, "")
    text = "".join(_cell(value, row, height) for value in columns)
    return [(fit(label, _LABEL - 1, "right") + " ", "dim"), (text, "bar.line")]


def _cell(value: float | None, row: int, height: int) -> str:
    if not known(value):
        return " "
    eighths = round(max(0.0, min(1.0, value)) * height * 8) - (height - 1 - row) * 8
    return (
        _LEVELS[max(0, min(8, eighths))] if row < height - 1 else _LEVELS[max(1, min(8, eighths))]
    )


_TALL = 44  # rows of a screen from which the history joins the dashboard
_FEW = 2  # GPUs that leave room for it on lower ones


def _places(inputs: LayoutInputs) -> Places:
    """On tall screens and without GPUs; on lower ones of the stack where rows are left over."""
    few, framed, tall = inputs.engines <= 8, (0, 8), _TALL if inputs.gpu_rows > _FEW else 0
    return (
        Place(LARGE, 9, (0, 8, 12), "frame", flex=True, contents=STACK, from_rows=tall),
        Place(LARGE, 9, framed, "frame", flex=few, contents=ENGINES, from_rows=tall),
        Place(LARGE, 9, (0, 6, 8, 12), "frame", flex=True, contents=GPUS),
        Place(MEDIUM, 12, (0, 6, 9), "rule", 1, True, True, contents=GPUS),
        Place(MEDIUM, 12, (0, 6, 9), "rule", 1, True, True, from_rows=tall),
        Place(MEDIUM, 12, (0,), "rule", 1, True, True, contents=STACK),
    )


def title(snapshot: Snapshot, options: DrawOptions) -> str:
    """What the area is of, and the time that it covers."""
    name = "GPU utilisation" if presence(snapshot) == "gpus" else "demand"
    minutes = span_of(options.samples, options.now) / 60
    return f"{name} · last {minutes:.0f} min" if options.samples else name


PANEL = Panel("history", lines, title, places=_places, opens="history")
