"""Help and the command palette: opened and closed by any keys, in any order and however fast."""

import gc
import operator
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events
from textual.screen import Screen

from tests.views.tui.conftest import MakeApp, frozen
from tests.views.tui.pilot import AppPilot, app_of, picture, pressed
from tokentop.views.tui.app import TokentopApp

KEYS = ("question_mark", "f1", "ctrl+p", "escape", "x", "enter", "slash", "j", "2", "e", "down",
        "y", "tab", "backspace")  # fmt: skip
QUITTING = ("q", "ctrl+c", "ctrl+q")
typings = st.lists(st.tuples(st.sampled_from(KEYS), st.booleans()), max_size=20)
quitting = st.lists(st.tuples(st.sampled_from(QUITTING + KEYS), st.booleans()), max_size=4)


def queue(target: TokentopApp | Screen[object], *keys: str) -> None:
    """Put the keys into a message queue at once, as a paste or a held key does."""
    for key in keys:
        target.post_message(events.Key(key, key if len(key) == 1 else None))


async def settled(pilot: AppPilot) -> None:
    """Wait until no message is left and every closed screen is gone."""
    await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("opened", ["question_mark", "ctrl+p"])
async def test_queued_keys_close_an_overlay_once(make_app: MakeApp, opened: str) -> None:
    """Keys that arrive before the screen is gone neither end the program nor close another one."""
    async with make_app().run_test(size=(80, 24)) as pilot:
        for keys in (("x", "x"), ("question_mark", "x", "x"), ("escape",) * 5):
            await pressed(pilot, opened)
            queue(pilot.app.screen, *keys)
            queue(app_of(pilot), *keys)
            await settled(pilot)
            await pressed(pilot, "escape", "escape", "escape")
            await settled(pilot)
            assert len(pilot.app.screen_stack) == 1


async def test_a_key_after_the_closing_one_is_the_monitors(make_app: MakeApp) -> None:
    """With help open, x and 2 typed at once close it and show the GPUs."""
    async with make_app().run_test(size=(120, 40)) as pilot:
        await pressed(pilot, "question_mark")
        queue(app_of(pilot), "x", "2")
        await settled(pilot)
        assert "Processes" in picture(app_of(pilot))


@pytest.mark.parametrize("opened", ["question_mark", "ctrl+p"])
async def test_queued_clicks_close_an_overlay_once(make_app: MakeApp, opened: str) -> None:
    """Two clicks beside it, faster than the screen goes away."""
    async with make_app().run_test(size=(80, 24)) as pilot:
        await pressed(pilot, opened)
        overlay = pilot.app.screen
        for _ in range(2):
            overlay.post_message(events.Click(overlay, 0, 23, 0, 0, 1, False, False, False, 0, 23))
        await settled(pilot)
        assert len(pilot.app.screen_stack) == 1


@pytest.mark.parametrize("opened", ["question_mark", "ctrl+p"])
async def test_closed_overlays_leave_memory(make_app: MakeApp, opened: str) -> None:
    """A day of help and palettes keeps not one drawn line of any but the last."""
    async with make_app().run_test(size=(80, 24)) as pilot:
        drawn = []
        for _ in range(3):
            await pressed(pilot, opened)
            widgets = [pilot.app.screen, *pilot.app.screen.query()]
            drawn.append([weakref.ref(widget._styles_cache) for widget in widgets])
            del widgets
            await pressed(pilot, "escape", "escape")
            await settled(pilot)
        gc.collect()
        assert len(drawn[0]) == len(drawn[2]) > 0
        assert not [cache for cache in (*drawn[0], *drawn[1]) if cache() is not None]


@settings(max_examples=10, derandomize=True)
@given(st.builds(operator.add, typings, quitting))
async def test_any_keys_leave_a_program_that_goes_on(typed: list[tuple[str, bool]]) -> None:
    """Typed with pauses or without, only a quitting key ends the program; esc leads back."""
    async with TokentopApp(frozen(100.0)).run_test(size=(80, 24)) as pilot:
        for key, waits in typed:
            queue(app_of(pilot), key)
            if waits:
                await pilot.pause(0)
        for _ in range(4):
            queue(app_of(pilot), "escape")
            await pilot.pause(0)
        await settled(pilot)
        if pilot.app.return_code is None:
            assert len(pilot.app.screen_stack) == 1
            assert "GPU" in picture(app_of(pilot))
    keys = {key for key, _ in typed}
    if not keys & set(QUITTING):
        assert pilot.app.return_code is None
    if keys & {"ctrl+c", "ctrl+q"}:
        assert pilot.app.return_code == 0
