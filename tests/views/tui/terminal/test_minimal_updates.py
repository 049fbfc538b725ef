"""What the full screen costs: bytes of a tick, and libraries only when they are needed."""

import json
import subprocess
import sys

import pytest
from textual.geometry import Region

from tests.views.tui.conftest import MakeApp
from tests.views.tui.pseudo_terminal import clean_environment
from tokentop.domain.snapshot import Snapshot
from tokentop.runtime.live.session import Session
from tokentop.views.tui.terminal.minimal_updates import (
    Visible,
    touched,
)
from tokentop.views.tui.widgets.panel import Panel

IMPORTED = """
import asyncio, json, sys
from tests.views.tui.conftest import frozen
from tokentop.views.tui.app import TokentopApp

def loaded():
    return [name for name in ("plotext", "pynvml", "asyncio") if name in sys.modules]

async def main():
    app = TokentopApp(frozen(100.0))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        dashboard = loaded()
        await pilot.press("3")
        await pilot.pause()
        print(json.dumps([dashboard, loaded()]))

asyncio.run(main())
"""


async def test_a_tick_sends_less_than_a_hundred_bytes(make_app: MakeApp, sent: list[str]) -> None:
    """When only the age and the clock move, only their cells are sent, and at once."""
    app = make_app(100.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        model = app.model()
        sent.clear()
        app.monitor.tick(model._replace(clock="12:01:41", elapsed_s=model.elapsed_s + 1))
        assert 0 < len("".join(sent)) < 100
        assert "1" in "".join(sent)
        await pilot.pause()
        assert len(sent) == 1


async def test_a_tick_below_a_box_waits_for_what_covers_it(
    make_app: MakeApp, sent: list[str]
) -> None:
    """With help open the clock goes on, and help stays as it is."""
    app = make_app(100.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        model = app.model()
        sent.clear()
        app.monitor.tick(model._replace(clock="12:01:41", elapsed_s=model.elapsed_s + 1))
        assert sent == []
        while not "".join(sent):
            await pilot.pause()
        assert len("".join(sent)) < 100


async def test_an_unchanged_picture_sends_nothing(make_app: MakeApp, sent: list[str]) -> None:
    """A poll that brought nothing new is not seen on the wire."""
    app = make_app(100.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        sent.clear()
        app._take_snapshot()
        app._show()
        await pilot.pause()
        assert "".join(sent) == ""


def test_libraries_are_loaded_when_they_are_needed() -> None:
    """The first paint has neither pynvml nor plotext; a chart brings plotext."""
    answer = subprocess.run(
        [sys.executable, "-c", IMPORTED],
        env=clean_environment({}),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    dashboard, history = json.loads(answer.stdout)
    assert dashboard == ["asyncio"]
    assert history == ["plotext", "asyncio"]


def test_only_what_a_change_touches_is_rendered() -> None:
    """One cell of one panel renders that panel, and what is in front of it."""
    toast, left, right, screen = (Panel(name, {}) for name in ("toast", "a", "b", "screen"))
    whole = Region(0, 0, 80, 24)
    visible: Visible = {
        toast: (Region(30, 0, 20, 2), whole),
        left: (Region(0, 0, 40, 24), whole),
        right: (Region(40, 0, 40, 24), whole),
        screen: (whole, whole),
    }
    assert list(touched(visible, [Region(5, 5, 3, 1)])) == [left]
    assert list(touched(visible, [Region(32, 0, 3, 1)])) == [toast]
    assert list(touched(visible, [Region(20, 1, 15, 1)])) == [toast, left]
    assert list(touched(visible, [Region(39, 5, 2, 1)])) == [left, right, screen]


async def test_a_round_is_folded_once(make_app: MakeApp) -> None:
    """The history and the screen get the same snapshot."""
    app = make_app(100.0)
    shown: list[tuple[Snapshot, float]] = []
    session = Session(app.session.config, lambda *new: shown.append(new))
    folded = []
    fold = session.collector.snapshot
    session.collector.snapshot = lambda *at: folded.append(at) or fold(*at)  # type: ignore[method-assign,func-returns-value]
    session._changed()
    assert len(folded) == len(shown) == 1
    assert shown[0][1] == session.now()


async def test_of_several_snapshots_at_once_the_newest_is_drawn(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that sends faster than the screen draws costs one picture a pass of the loop."""
    app = make_app(100.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        drawn = []
        monkeypatch.setattr(app.monitor, "show", lambda model, _: drawn.append(model.snapshot.host))
        for host in ("first", "second", "third"):
            app.snapshot_ready(app.session.snapshot()._replace(host=host), app.session.now())
        await pilot.pause()
        assert drawn == ["third"]
