"""Panels: what they show without an app, and how little they send again."""

from rich.style import Style
from textual.geometry import Region

from tokentop.views.tui.widgets.changes import changed_regions
from tokentop.views.tui.widgets.panel import Panel

STYLES = {"text": Style(), "bright": Style(bold=True)}


def test_a_panel_shows_its_lines_without_an_app() -> None:
    """render_line gives the spans' text in order, with the theme's style on each."""
    panel = Panel("header", STYLES)
    panel.show([[("tokentop ", "bright"), ("box", "text")]], STYLES)
    strip = panel.render_line(0)
    assert strip.text == "tokentop box"
    assert [segment.style for segment in strip.discard_meta()] == [Style(bold=True), Style()]


def test_a_row_is_drawn_again_between_the_first_span_that_differs_and_the_last() -> None:
    """A ticking second takes the clock, not the header; equal rows have no region."""
    clock = [[("tokentop ", "bright"), ("12:04:31", "text"), (" q quit", "dim")]]
    ticked = [[("tokentop ", "bright"), ("12:04:32", "text"), (" q quit", "dim")]]
    assert changed_regions(clock, ticked) == [Region(9, 0, 8, 1)]
    assert changed_regions(clock, clock) == []
    rows = [[("aaa", "text")], [("bbb", "text")], [("日", "text"), ("c", "text")]]
    other = [[("aaa", "text")], [("bXb", "text")], [("日", "text"), ("X", "text")]]
    assert changed_regions(rows, other) == [Region(0, 1, 3, 1), Region(2, 2, 1, 1)]


def test_a_change_of_style_is_a_change() -> None:
    """A colour that moves is drawn although no letter changed."""
    before, after = [[("ab", "text"), ("c", "text")]], [[("ab", "bright"), ("c", "text")]]
    assert changed_regions(before, after) == [Region(0, 0, 2, 1)]


def test_a_row_of_another_width_is_drawn_whole() -> None:
    """What begins alike may stand elsewhere."""
    assert changed_regions([[("ab", "text")]], [[("abc", "text")]]) == [Region(0, 0, 3, 1)]
