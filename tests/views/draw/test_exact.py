"""Properties of every picture: exactly its cells, only known styles, nothing that steers."""

import pytest
from hypothesis import given, settings

from tests import examples
from tests.views.draw import strategies as some
from tokentop.domain.snapshot import Snapshot
from tokentop.views.palette import STYLES
from tokentop.views.tui.draw.compose import compose, text
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, span_width
from tokentop.views.tui.draw.layout import Placement, arrange
from tokentop.views.tui.draw.layout_inputs import LayoutInputs, layout_inputs
from tokentop.views.tui.draw.registry import PANELS, draw


def check(lines: list[Line], width: int, height: int) -> None:
    """Exact, harmless, and painted with styles that every theme has."""
    assert len(lines) == height
    assert [span_width(line) for line in lines] == [width] * height
    for line in lines:
        for words, style in line:
            assert words.isprintable()
            assert all(style in table for table in STYLES.values()), style


@given(some.snapshots, some.widths, some.heights, some.looks)
@settings(max_examples=150, deadline=None)
def test_any_screen_is_exact(
    snapshot: Snapshot, width: int, height: int, options: DrawOptions
) -> None:
    """Whatever the snapshot, the size and the look: exactly height lines of width cells."""
    lines = compose(snapshot, width, height, options)
    check(lines, width, height)
    assert not options.ascii or text(lines).isascii()


@pytest.mark.parametrize("panel", sorted(PANELS))
@pytest.mark.parametrize("border", ["bare", "rule", "frame"])
@given(snapshot=some.snapshots, width=some.widths, height=some.heights, options=some.looks)
@settings(max_examples=15, deadline=None)
def test_any_panel_is_exact(
    panel: str, border: str, snapshot: Snapshot, width: int, height: int, options: DrawOptions
) -> None:
    """Every panel keeps to its place in every border, also where arrange() never puts it."""
    place = Placement(panel, 0, 0, width, height, border)  # type: ignore[arg-type]
    check(draw(snapshot, place, options), width, height)


@given(some.snapshots, some.widths, some.heights, some.looks)
@settings(max_examples=200, deadline=None)
def test_no_panel_leaves_the_screen_or_covers_another(
    snapshot: Snapshot, width: int, height: int, options: DrawOptions
) -> None:
    """Placements are inside the screen, not empty, and disjoint; no panel stands twice."""
    places = arrange(width, height, layout_inputs(snapshot, options))
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
    assert arrange(0, 0, LayoutInputs()) == ()


@pytest.mark.parametrize("panel", ["slots", "multiplier", "gpus", "banner", "services"])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 20), (120, 40), (200, 60)])
def test_the_essentials_are_all_visible(panel: str, width: int, height: int) -> None:
    """Eight GPUs, slots, multiplier, tier and services are on the screen together."""
    places = {
        p.panel: p for p in arrange(width, height, layout_inputs(examples.high(), DrawOptions()))
    }
    assert panel in places
    shown = text(compose(examples.high(), width, height))
    assert shown.count("H200") == 8
    assert all(word in shown for word in ("HIGH", "×5.10", "34/48", "gen", "acta"))


def test_every_hidden_panel_gives_its_room_to_others() -> None:
    """With a panel hidden the screen is still filled to its last line by the rest."""
    usual = arrange(120, 40, layout_inputs(examples.high(), DrawOptions()))
    less = arrange(
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
        calm = arrange(width, height, layout_inputs(examples.low(), DrawOptions()))
        full = arrange(width, height, layout_inputs(examples.saturated(), DrawOptions()))
        assert calm == full
