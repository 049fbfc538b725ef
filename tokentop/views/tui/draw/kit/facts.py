"""One labelled figure with its unit, aligned with the ones above and below."""

from tokentop.domain.text import DASH, cell_width, fit
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.kit.line import Line, exact, span_width

FIGURE = 5  # cells of a usual figure
_LABEL = 12


class Fact(NamedTuple):
    """One figure: its label, its value as text, its unit, its style."""

    label: str
    value: str
    unit: str = ""
    style: str = "bright"


def fact_line(fact: Fact, width: int, figure: int) -> Line:
    """Label, right-aligned figure, unit: nothing moves when a figure gets a digit more."""
    label = fit(fact.label, min(_LABEL, max(4, width - figure)) - 1) + " "
    room = max(figure, min(width - cell_width(label), cell_width(fact.value)))
    line: Line = [
        (label, "dim"),
        (fit(fact.value, room, "right"), "dim" if fact.value == DASH else fact.style),
    ]
    if span_width(line) + cell_width(fact.unit) + 1 <= width:
        line.append((" " + fact.unit, "dim"))
    return exact(line, width)
