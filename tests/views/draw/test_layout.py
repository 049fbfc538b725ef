"""The layout's algorithm over made-up panels: who stays, who grows, who shares a row."""

import pytest

from tokentop.views.tui.draw.layout import (
    ENGINES,
    LARGE,
    MEDIUM,
    SIZES,
    SMALL,
    Declared,
    Place,
    Placement,
    SharedRow,
    arrange,
    size_of,
)
from tokentop.views.tui.draw.layout_inputs import LayoutInputs

STACK_BOX, ENGINE_BOX = LayoutInputs(), LayoutInputs(engines=3, presence="engines")


def heights(
    *panels: Declared, height: int, width: int = 80, inputs: LayoutInputs = STACK_BOX
) -> dict[str, int]:
    """The rows of every panel that is placed, top to bottom."""
    return {p.panel: p.height for p in arrange(panels, width, height, inputs)}


def panel(name: str, rank: int, *steps: int, **rest: object) -> Declared:
    return name, (Place(SIZES, rank, steps, **rest),)  # type: ignore[arg-type]


A, B, C = panel("a", 0, 2, 4), panel("b", 1, 2, 4), panel("c", 2, 2)


def test_the_lowest_rank_goes_first_and_the_highest_is_cut_last() -> None:
    """With too few rows c goes, then b; a keeps what is left of the screen, uncut or not."""
    assert heights(A, B, C, height=6) == {"a": 2, "b": 2, "c": 2}
    assert heights(A, B, C, height=5) == {"a": 2, "b": 3}
    assert heights(A, B, C, height=3) == {"a": 3}
    assert heights(A, B, C, height=1) == {"a": 1}
    assert heights(A, B, C, height=0) == {}


def test_panels_grow_in_order_of_rank_by_whole_steps() -> None:
    """Two rows to give: a's step; one row is no step, and goes to the tallest kind."""
    assert heights(A, B, C, height=8) == {"a": 4, "b": 2, "c": 2}
    assert heights(A, B, C, height=10) == {"a": 4, "b": 4, "c": 2}
    assert heights(C, B, A, height=7) == {"c": 2, "b": 3, "a": 2}


def test_panels_that_grow_last_wait_for_the_others() -> None:
    """Though its rank is higher, a gets its step after b."""
    patient = panel("a", 0, 2, 4, grow_last=True)
    assert heights(patient, B, height=6) == {"a": 2, "b": 4}
    assert heights(patient, B, height=8) == {"a": 4, "b": 4}


def test_a_step_of_zero_waits_for_room() -> None:
    """An optional panel comes with its first real step, never with less."""
    extra = panel("x", 9, 0, 3)
    assert heights(A, extra, height=6) == {"a": 6}
    assert heights(A, extra, height=7) == {"a": 4, "x": 3}


def test_a_flex_panel_takes_the_rows_that_are_left() -> None:
    """Once it has grown at all; a ruled one needs its rule and two rows to appear."""
    assert heights(A, panel("f", 9, 0, 3, flex=True), height=20) == {"a": 4, "f": 16}
    assert heights(A, panel("f", 9, 0, 3, flex=True), height=6) == {"a": 6}
    ruled = panel("f", 9, 0, border="rule", flex=True)
    assert heights(A, ruled, height=6) == {"a": 6}
    assert heights(A, ruled, height=7) == {"a": 4, "f": 3}


def test_a_shared_row_divides_the_width() -> None:
    """3 and 2 parts of 100 cells; with its first panel hidden the row is the second one's."""
    row: tuple[Declared, ...] = (
        ("wide", (Place(LARGE, 0, (40,), share=3),)),
        ("narrow", (SharedRow(LARGE, "wide", 2),)),
    )
    assert arrange(row, 100, 40, STACK_BOX) == (
        Placement("wide", 0, 0, 60, 40),
        Placement("narrow", 60, 0, 40, 40),
    )
    hidden = STACK_BOX._replace(hidden=frozenset({"wide"}))
    assert arrange(row, 100, 40, hidden) == (Placement("narrow", 0, 0, 100, 40),)


def test_a_panel_can_stand_below_another_one() -> None:
    """Out of the order in which the panels are listed, where its place says so."""
    first = panel("a", 0, 2, below="c")
    assert list(heights(first, B, C, height=9)) == ["b", "c", "a"]


def test_places_are_for_sizes_and_contents() -> None:
    """The first place that fits the screen and what it shows counts; without one there is none."""
    both: Declared = (
        "a",
        (
            Place(MEDIUM, 0, (20,), contents=ENGINES),
            Place(MEDIUM, 0, (10, 24), from_rows=24),
            Place(MEDIUM, 0, (10,)),
        ),
    )
    last = panel("z", 9, 1)
    assert heights(both, last, height=30, inputs=ENGINE_BOX) == {"a": 29, "z": 1}
    assert heights(both, last, height=25)["a"] == 24
    assert heights(both, last, height=40, width=40) == {"z": 40}


@pytest.mark.parametrize(("width", "x", "room"), [(29, 0, 29), (30, 2, 26), (80, 2, 76)])
def test_an_inset_needs_a_screen_wide_enough(width: int, x: int, room: int) -> None:
    """Two free cells at both sides, from 30 cells on."""
    place = Place(SIZES, 0, (1,), inset=2, inset_from=30)
    assert arrange((("a", (place,)),), width, 20, STACK_BOX) == (Placement("a", x, 0, room, 20),)


def test_a_whole_panel_replaces_another_one() -> None:
    """Where it has all its rows and no third panel must go for it; else both stay as they were."""
    table = panel("table", 5, 0, 3, replaces="strip", whole=9)
    strip, other = panel("strip", 2, 2), panel("other", 1, 4)
    assert heights(other, table, strip, height=13) == {"other": 4, "table": 9}
    assert heights(other, table, strip, height=12) == {"other": 7, "table": 3, "strip": 2}


@pytest.mark.parametrize(
    ("size", "kind"),
    [((100, 36), LARGE), ((99, 36), MEDIUM), ((100, 35), MEDIUM), ((56, 18), MEDIUM),
     ((55, 18), SMALL), ((56, 17), SMALL), ((300, 17), SMALL)],
)  # fmt: skip
def test_screens_have_three_classes(size: tuple[int, int], kind: tuple[str, ...]) -> None:
    """Frames from 100 x 36 on, rules from 56 x 18 on, below that the essentials."""
    assert (size_of(*size),) == kind
