"""Tables as people know them: headings to click, marks, a filter on what is shown, memory."""

import json
import stat
from pathlib import Path

import pytest

from tests.views.tui.conftest import frozen
from tests.views.tui.pilot import AppPilot, app_of, click, picture, pressed
from tests.views.tui.test_engines_view import box, refreshed
from tokentop.config.load import load
from tokentop.transport import user_state
from tokentop.views.tui.app import TokentopApp
from tokentop.views.tui.commands import commands
from tokentop.views.tui.keys import KEYS

LARGE = (120, 40)


def rows(shown: str, *marks: str) -> list[str]:
    return [row for row in shown.splitlines() if any(mark in row for mark in marks)]


async def on_heading(pilot: AppPilot, word: str) -> str:
    """The picture after a click on the heading that holds a word."""
    lines = picture(app_of(pilot)).splitlines()
    y = next(
        i for i, line in enumerate(lines) if word in line and ("TTFT" in line or "temp" in line)
    )
    await click(pilot, lines[y].index(word) + 1, y)
    return picture(app_of(pilot))


NAMES = ("gemma4-12b", "qwen3.6-27b", "phi-5")


def order(shown: str) -> list[str]:
    """The engines' models from top to bottom."""
    return [name for row in rows(shown, "●") for name in NAMES if name in row]


async def test_a_click_on_a_heading_sorts_and_a_second_one_reverses() -> None:
    """By KV cache: 90 % first, then 61 % first; the unknown is last both times."""
    async with box().run_test(size=LARGE) as pilot:
        await refreshed(pilot)
        await pressed(pilot, "4")
        falling = await on_heading(pilot, "KV")
        assert "▾KV" in falling
        assert order(falling) == ["gemma4-12b", "qwen3.6-27b", "phi-5"]
        rising = await on_heading(pilot, "KV")
        assert "▴KV" in rising
        assert order(rising) == ["qwen3.6-27b", "gemma4-12b", "phi-5"]
        assert "▾tok/s" in await on_heading(pilot, "tok/s")


async def test_gpus_are_sorted_by_a_click_too(at_large: AppPilot) -> None:
    """On the dashboard, where the pool stands."""
    shown = await on_heading(at_large, "temp")
    assert "▾temp" in shown
    heat = [int(row.split("°")[0].split()[-1]) for row in rows(shown, "°")]
    assert heat == sorted(heat, reverse=True)
    assert "▴temp" in await pressed(at_large, "R")


async def test_the_choices_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next start has the sort, its direction, the theme and the interval of this one."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with TokentopApp(frozen(66.0), saves=True).run_test(size=LARGE) as pilot:
        await pressed(pilot, "s", "R", "t", "plus")
        await app_of(pilot).workers.wait_for_complete()
    file = tmp_path / "state" / "tokentop" / "screen.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["screen.json"]
    async with TokentopApp(frozen(66.0), saves=True).run_test(size=LARGE) as pilot:
        await pilot.pause()
        shown = picture(app_of(pilot))
        assert "by util" in shown
        assert "▴util" in shown
        assert "every 5s" in shown
        assert app_of(pilot).theme == "tokentop-light"


async def test_without_memory_nothing_is_written_or_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with --no-state."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    user_state.save({"sort": "temp"})
    saved = tmp_path / "tokentop" / "screen.json"
    before = saved.read_bytes()
    async with TokentopApp(frozen(66.0), saves=False).run_test(size=LARGE) as pilot:
        assert "by temp" not in await pressed(pilot, "t")
        assert "by util" in await pressed(pilot, "s")
    assert saved.read_bytes() == before
    assert load({"ui.state": False}, {}, None).ui.state is False


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"theme": 1, "interval_s": "x", "sort": []}', b'{"sort": "z"}',
                b'{"interval_s": 1e9}', b'{"theme": "pink"}'],
)  # fmt: skip
async def test_a_damaged_memory_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    """Whatever stands in the file, the screen comes up as it does without one."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "tokentop").mkdir(mode=0o700)
    (tmp_path / "tokentop" / "screen.json").write_bytes(content)
    app = TokentopApp(frozen(66.0), saves=True)
    assert (app.view.sort, app.session.interval_s) == ("index", 4.0)
    assert app.theme == "tokentop-dark"


def test_what_is_set_wins_over_what_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A theme and an interval from flags are not replaced by last week's."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    user_state.save({"theme": "light", "interval_s": 10.0})
    config = load({"ui.theme": "colorblind", "interval": "2", "demo.enabled": True}, {}, None)
    app = TokentopApp(config, saves=True)
    assert app.theme == "tokentop-colorblind"
    assert app.session.interval_s == 2.0
    assert json.loads((tmp_path / "tokentop" / "screen.json").read_text())["theme"] == "light"


async def test_the_filter_matches_what_is_shown() -> None:
    """The words of a row find it: model, address, kind, state as it is written."""
    async with box().run_test(size=LARGE) as pilot:
        await refreshed(pilot)
        await pressed(pilot, "4")
        everything = len(rows(picture(app_of(pilot)), "127.0.0.1"))
        for word in ("127.0.0.1:30000", "sglang"):
            shown = await pressed(pilot, "slash", *word, "enter")
            assert len(rows(shown, "127.0.0.1:")) < everything
            assert "127.0.0.1:30000" in shown
            await pressed(pilot, "escape")


def test_the_palette_has_views_sorts_and_themes_by_name_in_useful_order() -> None:
    """Views first, quit last; each entry once."""
    labels = [one.label for one in commands(KEYS)]
    assert labels[0] == "View: Dashboard"
    assert labels[-1] == "Quit"
    assert len(labels) == len(set(labels))
    for label in (
        "Theme: colorblind",
        "Sort engines by kv",
        "Sort GPUs by temp",
        "View: Engines, one row each",
    ):
        assert label in labels
    kinds = [label.split()[0] for label in labels]
    assert kinds.index("Sort") < kinds.index("Theme:")


async def test_the_palette_sets_a_theme_by_name(at_large: AppPilot) -> None:
    """Typed and entered: the theme is on the screen."""
    await pressed(at_large, "ctrl+p")
    await at_large.press(*"colorblind")
    await at_large.pause(0.5)
    await at_large.press("enter")
    await at_large.pause()
    assert app_of(at_large).theme == "tokentop-colorblind"


async def test_the_history_has_a_cursor(at_large: AppPilot) -> None:
    """Left goes back in time, right forward again, esc takes the cursor away."""
    now = await pressed(at_large, "3")
    back = await pressed(at_large, "left", "left")
    assert "ago" in back
    assert back.count("now ") < now.count("now ")
    assert await pressed(at_large, "right", "right") == now
    assert await pressed(at_large, "left", "escape") == now
