"""Panels: what they show without an app, and how little they send again."""

from rich.style import Style
from textual.geometry import Region

from tokentop.views.tui.widgets.changes import changed_regions, changed_spans
from tokentop.views.tui.widgets.panel import Panel

STYLES = {"text": Style(), "bright": Style(bold=True)}


def test_a_panel_shows_its_lines_without_an_app() -> None:
    """render_line gives the spans' text in order, with the theme's style on each."""
    panel = Panel("header", STYLES)
    panel.show([[("tokentop ", "bright"), ("box", "text")]], STYLES)
    strip = panel.render_line(0)
    assert strip.text == "tokentop box"
    assert [segment.style for segment in strip.discard_meta()] == [Style(bold=True), Style()]


def test_equal_lines_change_nothing() -> None:
    """The same cells are not sent again, even when the spans are cut differently."""
    assert changed_spans([("ab", "text")], [("ab", "text")]) == []
    assert changed_spans([("ab", "text")], [("a", "text"), ("b", "text")]) == []


def test_only_the_changed_cells_are_named() -> None:
    """A ticking second is one cell."""
    assert changed_spans([("12:04:31", "text")], [("12:04:32", "text")]) == [(7, 8)]


def test_far_changes_are_sent_apart_and_near_ones_together() -> None:
    """A move of the cursor is worth a gap of ten cells, not of three."""
    far = changed_spans([("1" + "." * 12 + "1", "text")], [("2" + "." * 12 + "2", "text")])
    near = changed_spans([("1...1", "text")], [("2...2", "text")])
    assert far == [(0, 1), (13, 14)]
    assert near == [(0, 5)]


def test_a_change_of_style_is_a_change() -> None:
    """A colour that moves is sent although no letter changed."""
    assert changed_spans([("abc", "text")], [("a", "text"), ("b", "bright"), ("c", "text")]) == [
        (1, 2),
    ]


def test_a_wide_character_is_never_cut_in_half() -> None:
    """Cells of a double-width character are sent together."""
    assert changed_spans([("a日b", "text")], [("a本b", "text")]) == [(1, 3)]
    assert changed_spans([("日x", "text")], [("abx", "text")]) == [(0, 2)]


def test_a_combining_mark_belongs_to_its_letter() -> None:
    """A mark that appears changes one cell, its letter's."""
    assert changed_spans([("ae", "text")], [("ae\u0301", "text")]) == [(1, 2)]


def test_regions_are_one_row_each() -> None:
    """Rows that did not change have no region."""
    old = [[("aaa", "text")], [("bbb", "text")], [("ccc", "text")]]
    new = [[("aaa", "text")], [("bXb", "text")], [("cYY", "text")]]
    assert changed_regions(old, new) == [Region(1, 1, 1, 1), Region(1, 2, 2, 1)]
