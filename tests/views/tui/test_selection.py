"""Text is selected with the mouse, seen to be selected, and copied with y."""

import base64
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.geometry import Offset
from textual.selection import SELECT_ALL, Selection
from textual.strip import Strip

from tests.views.tui.conftest import MakeApp
from tests.views.tui.pilot import AppPilot, app_of, click, drag, picture, pressed, strips
from tests.views.tui.pseudo_terminal import STILL, PseudoTerminal
from tokentop.views.tui.app import TokentopApp
from tokentop.views.tui.theme import MONO, style_table
from tokentop.views.tui.widgets.panel import Panel
from tokentop.views.tui.widgets.selection import highlighted, plain_text, selected_text

LINES = [[("GPU ", "dim"), ("模型 8", "bright"), ("   ", "text")], [("ab", "text"), ("  ", "dim")]]


def place_of(app: TokentopApp, text: str) -> tuple[int, int]:
    """The first cell of some text on the screen."""
    rows = picture(app).split("\n")
    y = next(y for y, row in enumerate(rows) if text in row)
    return rows[y].index(text), y


def test_the_text_is_that_of_the_cells_without_trailing_blanks() -> None:
    """From the first selected character to the last, blanks at the ends of lines left out."""
    part = Selection(Offset(4, 0), Offset(1, 1))
    assert selected_text(LINES, part) == "模型 8\na"
    assert selected_text(LINES, Selection(None, Offset(2, 0))) == "GP"
    assert selected_text(LINES, Selection(Offset(1, 1), None)) == "b"
    assert selected_text(LINES, SELECT_ALL) == plain_text(LINES) == "GPU 模型 8\nab"


def test_a_selection_beyond_the_text_is_what_is_there() -> None:
    """Lines that went away while they were selected are not copied, and nothing fails."""
    assert selected_text(LINES[:1], Selection(Offset(4, 0), Offset(9, 7))) == "模型 8"
    assert selected_text([], SELECT_ALL) == ""
    assert highlighted(LINES[:1], Selection(Offset(0, 3), None)) == LINES[:1]


def test_what_is_selected_is_highlighted_and_nothing_else() -> None:
    """The same characters in one style, to the end of the line where the selection goes on."""
    first, second = highlighted(LINES, Selection(Offset(2, 0), Offset(1, 1)))
    styled = [(char, style) for text, style in first for char in text]
    assert styled[:2] == [("G", "dim"), ("P", "dim")]
    assert {style for _, style in styled[2:]} == {"selection"}
    assert second == [("a", "selection"), ("b", "text"), (" ", "dim"), (" ", "dim")]
    assert plain_text([first, second]) == plain_text(LINES)


async def test_dragging_selects_and_y_copies(at_large: AppPilot) -> None:
    """What the pointer went over, from the press to the release, is on the clipboard."""
    app = app_of(at_large)
    x, y = place_of(app, "RTX 4090")
    await drag(at_large, (x, y), (x + 7, y))
    assert "Copied the selection: 1 line" in await pressed(at_large, "y")
    assert app.clipboard == "RTX 4090"


@pytest.mark.parametrize("theme", ["dark", "light", "colorblind", "ansi", MONO])
async def test_the_selection_is_seen_in_every_theme(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    """Every selected cell has the selection's style and no other cell has it; esc takes it away."""
    if theme == MONO:
        monkeypatch.setenv("NO_COLOR", "1")
    async with make_app(theme="dark" if theme == MONO else theme).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        x, y = place_of(app_of(pilot), "RTX 4090")
        style = style_table(theme)["selection"]

        def marked() -> str:
            strip = strips(app_of(pilot))[y]
            return "".join(s.text for s in strip if s.style and s.style + style == s.style)

        assert marked() == ""
        await drag(pilot, (x, y), (x + 7, y))
        assert marked() == "RTX 4090"
        await pressed(pilot, "escape")
        assert marked() == ""


async def test_a_drag_across_panels_selects_from_one_to_the_other(at_large: AppPilot) -> None:
    """The rest of the first panel, the beginning of the last, and all of those between."""
    app = app_of(at_large)
    first, last = place_of(app, "LLM slots"), place_of(app, "GPU pool")
    await drag(at_large, first, (last[0] + 8, last[1]))
    await pressed(at_large, "y")
    rows = app.clipboard.split("\n")
    assert rows[0].startswith("LLM slots ─")
    assert rows[-1].endswith("─ GPU pool")
    assert any("cost multiplier" in row for row in rows[1:-1]), "a panel between"
    assert not any(row.endswith(" ") for row in rows)
    assert "tokentop" not in app.clipboard


async def test_a_drag_opens_nothing_and_a_click_selects_nothing(at_large: AppPilot) -> None:
    """A release ends a drag as a click would; only a click without a drag opens the panel."""
    app = app_of(at_large)
    x, y = place_of(app, "GPU pool")
    await drag(at_large, (x, y), (x + 7, y))
    assert app.view.name == "dashboard"
    await click(at_large, x, y)
    assert app.view.name == "gpus"
    assert not app.monitor.selections


async def test_two_clicks_are_two_clicks(at_large: AppPilot) -> None:
    """Each quick click on a key hint acts; with Textual's own the second selects the panel."""
    app = app_of(at_large)
    hint = place_of(app, "p pause")
    for _ in range(3):
        await click(at_large, hint[0] + 3, hint[1])
    assert not app.monitor.selections
    assert "PAUSED" in await pressed(at_large)


async def test_the_selection_goes_where_other_text_comes(at_large: AppPilot) -> None:
    """Another view, or a scrolled list, is not marked where the old text was."""
    app = app_of(at_large)
    x, y = place_of(app, "RTX 4090")
    for key in ("2", "s"):
        await drag(at_large, (x, y), (x + 7, y))
        assert app.monitor.selections
        await pressed(at_large, key)
        assert not app.monitor.selections


async def test_a_notice_leaves_the_selection(at_large: AppPilot) -> None:
    """A notice in the footer moves no text."""
    app = app_of(at_large)
    x, y = place_of(app, "RTX 4090")
    await drag(at_large, (x, y), (x + 7, y))
    await pressed(at_large, "r")
    assert app.monitor.selections


async def test_y_copies_the_panel_under_the_mouse(at_large: AppPilot) -> None:
    """Nothing is selected: the panel that the pointer is over, its lines as they are shown."""
    app = app_of(at_large)
    await at_large.hover(offset=place_of(app, "cost multiplier"))
    text = await pressed(at_large, "y")
    rows = app.clipboard.split("\n")
    assert f"Copied cost multiplier: {len(rows)} lines" in text
    assert rows[0].startswith("╭─ cost multiplier ─")
    assert rows[-1].startswith("╰─")


MAIN = {"1": "GPU pool", "3": "Demand", "2": "GPU pool", "e": "engines"}


async def test_without_a_mouse_y_copies_the_main_panel(at_large: AppPilot) -> None:
    """A keyboard alone copies what the view is about."""
    for key, name in MAIN.items():
        assert f"Copied {name}: " in await pressed(at_large, key, "y")
        assert name in app_of(at_large).clipboard.split("\n")[0]
    assert "Copied GPU pool: " in await pressed(at_large, "1", "s", "y")


@pytest.mark.parametrize("size", [(1, 1), (10, 3), (40, 12)])
async def test_y_copies_at_every_size(make_app: MakeApp, size: tuple[int, int]) -> None:
    """However little there is to copy."""
    async with make_app().run_test(size=size) as pilot:
        for key in ("1", "2", "3", "4", "$"):
            app_of(pilot).copy_to_clipboard("")
            await pressed(pilot, key, "y")
            assert app_of(pilot).clipboard


async def test_help_is_selected_and_copied_too(at_large: AppPilot) -> None:
    """A drag does not close it, y copies, and without a selection y closes it as any key."""
    app = app_of(at_large)
    await pressed(at_large, "question_mark")
    x, y = place_of(app, "Command palette")
    await drag(at_large, (x, y), (x + 14, y))
    await pressed(at_large, "y")
    assert app.clipboard == "Command palette"
    assert len(app.screen_stack) == 2
    await pressed(at_large, "x")
    assert len(app.screen_stack) == 1


async def test_a_drag_sends_only_the_cells_that_it_changes(
    sent: list[str], at_large: AppPilot
) -> None:
    """Moving on by a cell sends the word it belongs to, not the panel."""
    panel = app_of(at_large).monitor.query_one("#gpus", Panel)
    panel.selection_updated(Selection(Offset(7, 3), Offset(10, 3)))
    while not "".join(sent):
        await at_large.pause()
    sent.clear()
    panel.selection_updated(Selection(Offset(7, 3), Offset(11, 3)))
    while not "".join(sent):
        await at_large.pause()
    move, _, shown = "".join(sent).partition("H")
    assert move.startswith("\x1b[")
    assert re.sub(r"\x1b\[[^m]*m", "", shown) == "H200"


async def test_offsets_cost_nothing_while_drawing(at_large: AppPilot) -> None:
    """Only the mouse needs them: they would give every segment a style of its own."""
    panel = app_of(at_large).monitor.query_one("#gpus", Panel)
    offsets: Callable[[Strip], bool] = lambda strip: any(s.style and s.style.meta for s in strip)  # noqa: E731
    assert offsets(panel.render_line(3))
    assert not any(map(offsets, panel.render_lines(panel.size.region)))


def test_the_clipboard_is_the_terminals(tmp_path: Path) -> None:
    """y sends the text to the terminal as OSC 52, which works over SSH; so does a dragged mouse."""
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    with PseudoTerminal(STILL, env, size=(120, 40)) as terminal:
        terminal.read_until(b"\x1b[?1049h", b"quit")
        terminal.press(b"2y")
        terminal.read_until(b"Copied GPU pool")
        assert "RTX 4090" in clipboard(terminal.seen)
        terminal.forget()
        terminal.press(b"\x1b[<0;4;2M\x1b[<32;11;2M\x1b[<0;11;2my")
        terminal.read_until(b"the selection: 1 line")
        assert clipboard(terminal.seen) == "GPU pool"


def clipboard(stream: bytes) -> str:
    """What the terminal was sent to put on the clipboard."""
    return base64.b64decode(stream.partition(b"\x1b]52;c;")[2].partition(b"\x07")[0]).decode()
