"""Every key does on the screen what help lists."""

from pathlib import Path

import pytest

from tests.views.tui.conftest import MakeApp
from tests.views.tui.pilot import AppPilot, app_of, picture, pressed
from tokentop.views.tui.keys import KEYS


async def test_the_first_picture_is_whole(at_large: AppPilot) -> None:
    """Banner, GPUs, slots, multiplier, services and footer are there, each row full width."""
    text = picture(app_of(at_large))
    shown = (
        "DEMO",
        "requests wait",
        "GPU pool",
        "LLM slots",
        "cost multiplier",
        "genesis",
        "q quit",
    )
    for words in shown:
        assert words in text
    assert {len(line) for line in text.split("\n")} == {120}


async def test_views_by_number_and_tab(at_large: AppPilot) -> None:
    """1, 2, 3, 4, h and e name a view, tab and shift+tab go round."""
    assert "Processes" in await pressed(at_large, "2")
    assert "Demand" in await pressed(at_large, "3")
    assert "LLM slots" in await pressed(at_large, "1")
    assert "Demand" in await pressed(at_large, "h")
    assert "No inference engine" in await pressed(at_large, "tab")
    assert "LLM slots" in await pressed(at_large, "tab")
    assert "No inference engine" in await pressed(at_large, "shift+tab")
    assert "No inference engine" in await pressed(at_large, "1", "e")
    assert "No inference engine" in await pressed(at_large, "1", "4")


async def test_history_draws_all_four_charts(at_large: AppPilot) -> None:
    """Demand, multiplier, queue and VRAM, each with its latest value."""
    text = await pressed(at_large, "3")
    for title in ("Demand", "Multiplier", "Queue", "VRAM"):
        assert title in text
    assert text.count("now") >= 4
    assert any("\u2800" < char <= "\u28ff" for char in text), "no curve"


async def test_compact_folds_and_unfolds(at_large: AppPilot) -> None:
    """c leaves the strip, c again brings the dashboard back."""
    before = picture(app_of(at_large))
    strip = await pressed(at_large, "c")
    assert "LLM slots" not in strip
    assert "GPU pool" in strip
    assert await pressed(at_large, "c") == before


async def test_pause_is_shown(at_large: AppPilot) -> None:
    """The header shows PAUSED until the key is pressed again."""
    for key in ("p", "space"):
        assert "PAUSED" in await pressed(at_large, key)
        assert "PAUSED" not in await pressed(at_large, key)


async def test_the_interval_moves(at_large: AppPilot) -> None:
    """+ polls less often, - more often; header and footer show it."""
    assert "every 5s" in await pressed(at_large, "plus")
    text = await pressed(at_large, "minus", "minus")
    assert "every 2s" in text
    assert "Polling every 2 s" in text


async def test_refresh_is_acknowledged(at_large: AppPilot) -> None:
    """r polls every source now; the footer confirms it."""
    assert "Polling every source now" in await pressed(at_large, "r")


async def test_sorting_cycles_and_is_shown(at_large: AppPilot) -> None:
    """s goes through the columns, the title names the order."""
    assert "by util" in await pressed(at_large, "s")
    text = await pressed(at_large, "s", "s", "s")
    assert "by power" in text


async def test_filter_is_typed_kept_and_cleared(at_large: AppPilot) -> None:
    """/ takes letters that are keys elsewhere; enter keeps, esc clears."""
    typed = await pressed(at_large, "slash", *"4090q")
    assert "4090q" in typed, "q was taken for quit"
    kept = await pressed(at_large, "backspace", "enter")
    assert "RTX 4090" in kept
    assert "H200  " not in kept
    assert "/4090" in kept
    assert "H200  " in await pressed(at_large, "escape")


async def test_a_pasted_filter_is_safe(at_large: AppPilot) -> None:
    """Control characters of a paste never reach the screen."""
    await at_large.press("slash")
    at_large.app.post_message(__import__("textual.events").events.Paste("H2\x1b[31m00\n"))
    text = await pressed(at_large)
    assert "H2[31m00" in text
    assert "\x1b" not in text


async def test_themes_cycle(at_large: AppPilot) -> None:
    """t goes through all four themes; the footer names each."""
    for name in ("light", "colorblind", "ansi", "dark"):
        assert f"Theme: {name}" in await pressed(at_large, "t")
        assert at_large.app.theme == f"tokentop-{name}"


async def test_help_lists_every_key_and_any_key_closes_it(at_large: AppPilot) -> None:
    """? shows the table; the next key only closes it."""
    text = await pressed(at_large, "question_mark")
    for words in ("any other key closes", "Save an SVG screenshot", "Command palette",
                  "Poll less often", "To the first row, the last"):  # fmt: skip
        assert words in text
    closed = await pressed(at_large, "s")
    assert "any other key closes" not in closed
    assert "by util" not in closed


@pytest.mark.parametrize("size", [(40, 12), (60, 20), (76, 24), (80, 24), (120, 40)])
async def test_help_shows_every_key_at_every_size(make_app: MakeApp, size: tuple[int, int]) -> None:
    """Whole where there is room; else down, page by page, to the last key, and up again."""
    async with make_app().run_test(size=size) as pilot:
        first = await pressed(pilot, "question_mark")
        seen = first
        for _ in range(8 if "other keys close" in first else 0):
            seen += await pressed(pilot, "pagedown")
        missing = [k for k in KEYS if k.shown and f"{k.shown:<8}{k.label}" not in seen]
        assert not missing
        assert ("other keys close" in first) == (size[0] < 76)
        if size[0] < 76:
            assert await pressed(pilot, "home") == first
            assert "Keys" in await pressed(pilot, "j")
        assert "keys close" not in await pressed(pilot, "s")


async def commands_listed(pilot: AppPilot) -> None:
    """Wait until the palette's search for commands has ended and is drawn."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def test_the_palette_draws_no_picture(make_app: MakeApp) -> None:
    """Emoji are two cells in one terminal and one in the next: none is drawn."""
    async with make_app().run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        await commands_listed(pilot)
        text = await pressed(pilot)
        assert "Search" in text
        assert not [c for c in text if ord(c) >= 0x1F000]


async def test_the_command_palette_has_our_commands(at_large: AppPilot) -> None:
    """ctrl+p offers the same actions by name, and runs them."""
    await at_large.press("ctrl+p")
    await at_large.pause()
    await at_large.press(*"last hour")
    await commands_listed(at_large)
    await at_large.press("enter")
    assert "Multiplier" in await pressed(at_large)


async def test_scrolling_moves_and_stops_at_the_ends(make_app: MakeApp) -> None:
    """In a low window the list moves by row, by page and to its ends, and no further."""
    async with make_app().run_test(size=(80, 12)) as pilot:
        top = await pressed(pilot, "2")
        down = await pressed(pilot, "j")
        assert down != top
        assert await pressed(pilot, "k") == top
        end = await pressed(pilot, "end")
        assert await pressed(pilot, "down", "pagedown") == end
        assert await pressed(pilot, "home") == top
        assert await pressed(pilot, "up") == top


async def test_the_mouse_wheel_scrolls(make_app: MakeApp) -> None:
    """The wheel moves the list as the arrows do."""
    from textual.events import MouseScrollDown

    async with make_app().run_test(size=(80, 12)) as pilot:
        top = await pressed(pilot, "2")
        event = MouseScrollDown(None, 5, 5, 0, 1, 0, False, False, False, 5, 5)
        pilot.app.post_message(event)
        assert await pressed(pilot) != top


async def test_a_click_opens_what_it_points_at(at_large: AppPilot) -> None:
    """A click on a key hint is that key; a click on the pool opens the GPUs."""
    footer = picture(app_of(at_large)).split("\n")[-1]  # type: ignore[arg-type]
    await at_large.click(offset=(footer.index("h history") + 3, 39))
    assert "Demand" in await pressed(at_large)
    await at_large.press("1")
    row = next(y for y, line in enumerate(picture(app_of(at_large)).split("\n")) if "H200" in line)
    await at_large.click(offset=(10, row))
    assert "Processes" in await pressed(at_large)


async def test_a_screenshot_is_saved_and_its_path_shown(
    at_large: AppPilot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S writes an SVG into the current directory."""
    monkeypatch.chdir(tmp_path)
    text = await pressed(at_large, "S")
    (saved,) = tmp_path.glob("tokentop-*.svg")  # noqa: ASYNC240
    assert saved.read_text().startswith("<svg")
    assert "Saved" in text


async def test_a_screenshot_that_fails_is_a_sentence(
    at_large: AppPilot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory that is gone ends in words, not in a crash."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert "could not be saved" in await pressed(at_large, "S")


async def test_every_view_fits_every_size_and_resizes_live(make_app: MakeApp) -> None:
    """No view fails at any size; a resize redraws it whole."""
    async with make_app().run_test(size=(100, 30)) as pilot:
        for key in ("1", "2", "3", "c"):
            await pilot.press(key)
            for size in ((1, 1), (80, 24), (10, 3), (40, 12), (200, 60), (60, 20)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
                rows = picture(app_of(pilot)).split("\n")  # type: ignore[arg-type]
                assert (len(rows[0]), len(rows)) == size


async def test_ascii_uses_ascii_only(make_app: MakeApp) -> None:
    """--ascii holds in every view and in help."""
    async with make_app(ascii_only=True).run_test(size=(120, 40)) as pilot:
        for key in ("1", "2", "3", "question_mark"):
            text = await pressed(pilot, key)
            assert text.isascii(), [c for c in text if not c.isascii()][:10]


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_the_quitting_keys_quit(make_app: MakeApp, key: str) -> None:
    """Each ends the app with code 0."""
    async with make_app().run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        await pilot.pause()
    assert pilot.app.return_code == 0
