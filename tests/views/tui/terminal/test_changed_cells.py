"""Which cells are sent again."""

from tokentop.views.tui.terminal.changed_cells import cells_of, changed_cells


def spans(old: str, new: str) -> list[tuple[int, int]]:
    return changed_cells(cells_of(old, "text", "text"), cells_of(new, "text", "text"))


def test_only_the_changed_cells_are_named() -> None:
    """A ticking second is one cell."""
    assert spans("12:04:31", "12:04:32") == [(7, 8)]
    assert spans("12:04:31", "12:04:31") == []


def test_far_changes_are_sent_apart_and_near_ones_together() -> None:
    """A move of the cursor is worth a gap of ten cells, not of three."""
    assert spans("1" + "." * 12 + "1", "2" + "." * 12 + "2") == [(0, 1), (13, 14)]
    assert spans("1...1", "2...2") == [(0, 5)]


def test_a_change_of_style_is_a_change() -> None:
    """A colour that moves is sent although no letter changed."""
    plain, bright = cells_of("abc", "text", "text"), cells_of("b", "bright", "text")
    assert changed_cells(plain, [plain[0], *bright, plain[2]]) == [(1, 2)]


def test_a_wide_character_is_never_cut_in_half() -> None:
    """Cells of a double-width character are sent together."""
    assert spans("a日b", "a本b") == [(1, 3)]
    assert spans("日x", "abx") == [(0, 2)]


def test_a_combining_mark_belongs_to_its_letter() -> None:
    """A mark that appears changes one cell, its letter's."""
    assert spans("ae", "ae\u0301") == [(1, 2)]
