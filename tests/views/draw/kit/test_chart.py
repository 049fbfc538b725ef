"""History charts: exact cells, gaps that stay gaps, a scale that holds what is drawn."""

import pytest

from tokentop.domain.history import Sample
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import cell_width
from tokentop.views.tui.draw.kit.line import Line
from tokentop.views.tui.draw.panels.history import charts as history_view


def text(lines: list[Line]) -> list[str]:
    return ["".join(part for part, _ in line) for line in lines]


def chart(
    samples: list[Sample],
    width: int = 80,
    height: int = 10,
    name: str = "utilization",
    cursor: float | None = None,
) -> list[str]:
    period = history_view.Period(samples, samples[-1].t, cursor)
    return text(history_view.lines(name, Snapshot(), period, width, height))


def curve_columns(rows: list[str]) -> set[int]:
    """The columns in which the curve has ink."""
    return {x for row in rows for x, char in enumerate(row) if "\u2800" < char <= "\u28ff"}


@pytest.mark.parametrize("size", [(80, 10), (200, 20), (17, 3), (5, 2), (1, 1)])
@pytest.mark.parametrize("name", list(history_view.MEASURES))
def test_a_chart_is_exactly_as_large_as_its_place(name: str, size: tuple[int, int]) -> None:
    """Whatever the size, width x height cells, wider than the terminal included."""
    samples = [Sample(4.0 * i, i / 100, 1 + i / 25, float(i), 0.5) for i in range(100)]
    rows = chart(samples, *size, name)
    assert len(rows) == size[1]
    assert {cell_width(row) for row in rows} == {size[0]}


def test_an_unknown_stretch_is_a_gap() -> None:
    """A minute in which nobody said anything has no ink, the minutes around it have."""
    samples = [Sample(4.0 * i, None if 30 <= i < 45 else 0.5) for i in range(75)]
    inked = curve_columns(chart(samples))
    left, right = min(inked), max(inked)
    blank = [x for x in range(left, right) if x not in inked]
    assert 10 <= len(blank) <= 20
    assert blank == list(range(blank[0], blank[-1] + 1))


def test_slow_polling_still_draws_a_line() -> None:
    """Samples a minute apart are joined: only a missing one is a gap."""
    samples = [Sample(60.0 * i, 0.5) for i in range(15)]
    inked = curve_columns(chart(samples))
    assert inked == set(range(min(inked), max(inked) + 1))


def test_nothing_known_is_a_sentence() -> None:
    """Before the first value there are words, not an empty frame or a line at zero."""
    assert "Nothing to draw yet." in "\n".join(chart([Sample(0.0), Sample(4.0)]))


def test_the_queue_scale_holds_the_longest_queue() -> None:
    """The axis ends at or above the highest value, in whole requests."""
    rows = chart([Sample(4.0 * i, queued=float(i)) for i in range(64)], name="queue")
    assert rows[0].strip().startswith("64")


@pytest.mark.parametrize("name", list(history_view.MEASURES))
@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_no_number_is_a_gap(name: str, odd: float) -> None:
    """And the points on both sides of it are still drawn."""
    figures = len(Sample._fields) - 1
    samples = [Sample(4.0 * i, *[0.5] * figures) for i in range(60)]
    samples[30] = Sample(120.0, *[odd] * figures)
    assert len(curve_columns(chart(samples, name=name))) > 20


@pytest.mark.parametrize(
    ("minutes", "marks"),
    [
        (5, {"-4m": 60, "-3m": 120, "-2m": 180, "-1m": 240}),
        (15, {"-10m": 100, "-5m": 200}),
        (60, {"-45m": 75, "-30m": 150, "-15m": 225}),
    ],
)
def test_every_time_stands_under_its_own_moment(minutes: int, marks: dict[str, int]) -> None:
    """A spike at a time that the axis names has that name under it; 300 columns, one a slice."""
    step = minutes * 60 / 300
    for word, column in marks.items():
        samples = [Sample(step * i, 0.9 if i == column else 0.1) for i in range(301)]
        rows = chart(samples, width=305)
        spike = {x for x, char in enumerate(rows[1]) if "\u2800" < char <= "\u28ff"}
        at = rows[-1].index(word)
        assert spike
        assert spike <= set(range(at, at + len(word) + 1))


def test_the_cursor_marks_its_column_and_its_time() -> None:
    """101 columns are 100 steps of 3 s: 1:15 ago is the 75th, and the spike stands there too."""
    samples = [Sample(float(i), 0.8 if i == 225 else 0.1) for i in range(301)]
    rows = chart(samples, width=106, cursor=225.0)
    assert rows[-1].strip() == "-1:15"
    assert rows[0].index("│", 5) == 5 + 75
    assert 5 + 75 in {x for x, char in enumerate(rows[1]) if "\u2800" < char <= "\u28ff"}
