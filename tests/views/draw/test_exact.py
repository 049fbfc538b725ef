"""Properties of every picture: exactly its cells, only known styles, nothing that steers."""

from itertools import product

import pytest
from hypothesis import given, note, settings

from tests import examples
from tests.views.draw import strategies as some
from tests.views.draw.composed import composed, model, text
from tokentop.config.schema import PANELS as HIDEABLE
from tokentop.domain.snapshot import Snapshot
from tokentop.light_typing import get_args
from tokentop.views.palette import STYLES
from tokentop.views.tui.draw.kit.glyphs import big
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, span_width
from tokentop.views.tui.draw.layout import Border, Placement, SharedRow
from tokentop.views.tui.draw.layout_inputs import LayoutInputs, layout_inputs
from tokentop.views.tui.draw.panel import draw_panel, places_of
from tokentop.views.tui.draw.registry import DASHBOARD, ELSEWHERE, dashboard, panel_of
from tokentop.views.tui.screen_model import ScreenModel
from tokentop.views.tui.state import ViewState


def check(lines: list[Line], width: int, height: int) -> None:
    """Exact, harmless, and painted with styles that every theme has."""
    assert len(lines) == height
    assert [span_width(line) for line in lines] == [width] * height
    for line in lines:
        for words, style in line:
            assert words.isprintable()
            assert all(style in table for table in STYLES.values()), style


@given(some.screens, some.widths, some.heights)
@settings(max_examples=50)
def test_any_screen_is_exact(screen: ScreenModel, width: int, height: int) -> None:
    """Whatever the snapshot, the view and the size: exactly height lines of width cells."""
    rows = composed(screen, width, height)
    check(rows, width, height)
    assert not screen.ui.ascii or text(rows).isascii()


@pytest.mark.parametrize("border", get_args(Border))
@given(snapshot=some.snapshots, width=some.widths, height=some.heights, options=some.looks)
@settings(max_examples=15)
def test_any_panel_is_exact(
    border: Border, snapshot: Snapshot, width: int, height: int, options: DrawOptions
) -> None:
    """Every panel keeps to its place in every border, also where the layout never puts it."""
    for name in (*DASHBOARD, *ELSEWHERE):
        note(name)  # the last one printed is the one that fails
        place = Placement(name, 0, 0, width, height, border)
        check(draw_panel(panel_of(name), snapshot, place, options), width, height)


@given(some.snapshots, some.widths, some.heights, some.looks)
@settings(max_examples=50)
def test_no_panel_leaves_the_screen_or_covers_another(
    snapshot: Snapshot, width: int, height: int, options: DrawOptions
) -> None:
    """Placements are inside the screen, not empty, and disjoint; no panel stands twice."""
    places = dashboard(width, height, layout_inputs(snapshot, options))
    taken: set[tuple[int, int]] = set()
    for p in places:
        assert p.width > 0
        assert p.height > 0
        cells = {(x, y) for x in range(p.x, p.x + p.width) for y in range(p.y, p.y + p.height)}
        assert not cells & taken
        assert all(0 <= x < width and 0 <= y < height for x, y in cells)
        taken |= cells
    assert len({p.panel for p in places}) == len(places)
    assert not {p.panel for p in places} & options.hidden


def test_an_absurd_size_is_no_error() -> None:
    """A terminal that reports nothing at all gets nothing at all."""
    for size in ((0, 0), (0, 30), (30, 0), (-1, -1)):
        assert dashboard(*size, LayoutInputs()) == ()


@pytest.mark.parametrize("panel", ["slots", "multiplier", "gpus", "banner", "services"])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 20), (120, 40), (200, 60)])
def test_the_essentials_are_all_visible(panel: str, width: int, height: int) -> None:
    """Eight GPUs, slots, multiplier, tier and services are on the screen together."""
    places = {
        p.panel: p for p in dashboard(width, height, layout_inputs(examples.high(), DrawOptions()))
    }
    assert panel in places
    shown = text(composed(model(examples.high()), width, height))
    assert shown.count("/140.4") == 8
    large = [row.strip() for row in big("×5.10", DrawOptions())]  # where the banner is tall
    assert "×5.10" in shown or all(row in shown for row in large)
    assert all(word in shown for word in ("HIGH", "34/48", "gen", "acta"))


def test_every_hidden_panel_gives_its_room_to_others() -> None:
    """With a panel hidden the screen is still filled to its last line by the rest."""
    usual = dashboard(120, 40, layout_inputs(examples.high(), DrawOptions()))
    less = dashboard(
        120,
        40,
        layout_inputs(examples.high(), DrawOptions(hidden=frozenset({"slots", "multiplier"}))),
    )
    bottom = {p.y + p.height for p in less}
    assert max(bottom) == 40
    assert sum(p.height * p.width for p in less) >= sum(p.height * p.width for p in usual)


def test_the_layout_does_not_depend_on_the_load() -> None:
    """From idle to saturated no panel moves, so nothing jumps under the eye."""
    for width, height in ((80, 24), (120, 40), (200, 60)):
        calm = dashboard(width, height, layout_inputs(examples.low(), DrawOptions()))
        full = dashboard(width, height, layout_inputs(examples.saturated(), DrawOptions()))
        assert calm == full


def test_every_panel_that_can_be_hidden_exists() -> None:
    """A name that `--hide` takes is the name of a panel of the dashboard."""
    declared = {
        p.name for p in DASHBOARD.values() if places_of(p, LayoutInputs(gpu_rows=1, engines=1))
    }
    assert set(HIDEABLE) <= declared


@pytest.mark.parametrize("gpus", [0, 8])
@pytest.mark.parametrize("engines", [0, 1, 9])
def test_a_panel_stands_beside_or_below_one_that_is_there(engines: int, gpus: int) -> None:
    """On every screen where a panel refers to another, that one has a place too."""
    inputs = LayoutInputs(gpu_rows=gpus, engines=engines, engine_rows=engines)
    places = {name: places_of(panel, inputs) for name, panel in DASHBOARD.items()}
    for place in (p for found in places.values() for p in found):
        other = place.panel if isinstance(place, SharedRow) else place.below or place.replaces
        for size, content in product(place.sizes, place.contents) if other else ():
            assert any(size in p.sizes and content in p.contents for p in places[other])


def test_a_strip_uses_every_row_it_is_given() -> None:
    """Header, five of the strip's six lines, and footer in seven rows: none stays blank."""
    screen = model(examples.high(), ViewState(compact=True))
    assert all(row.strip() for row in text(composed(screen, 80, 7)).splitlines())


@pytest.mark.parametrize("gpus", [1, 2, 3, 4, 5, 6, 7, 8])
def test_a_history_without_room_for_its_curve_is_left_out(gpus: int) -> None:
    """On screens too low for it it takes spare rows, but never so few that a title stands alone."""
    for height in range(18, 44):
        inputs = layout_inputs(examples.gpus(gpus), DrawOptions())
        places = {p.panel: p.height for p in dashboard(80, height, inputs)}
        assert places.get("history", 3) >= 3
        assert sum(places.values()) == height
