"""What the full screen costs: bytes of a tick, and libraries only when they are needed."""

import json
import subprocess
import sys

from tests.views.tui.conftest import MakeApp
from tests.views.tui.pseudo_terminal import clean_environment
from tokentop.views.tui.app import TokentopApp

IMPORTED = """
import asyncio, json, sys
from tests.views.tui.conftest import frozen
from tokentop.views.tui.app import TokentopApp

def loaded():
    return [name for name in ("plotext", "httpx", "pynvml", "asyncio") if name in sys.modules]

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


def sent_by(app: TokentopApp) -> str:
    """What the pending changes would send to the terminal."""
    screen = app.monitor
    screen._compositor.update_widgets(set(screen.children))  # type: ignore[arg-type]
    update = screen._compositor.render_partial_update()
    return "" if update is None else update.render_segments(app.console)


async def test_a_tick_sends_less_than_a_hundred_bytes(make_app: MakeApp) -> None:
    """When only the age and the clock move, only their cells are sent."""
    app = make_app(100.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        scene = app._scene()
        app.monitor.tick(scene._replace(clock="12:01:41", elapsed_s=scene.elapsed_s + 1))
        sent = sent_by(app)
        assert 0 < len(sent) < 100
        assert "1" in sent


async def test_an_unchanged_picture_sends_nothing(make_app: MakeApp) -> None:
    """A poll that brought nothing new is not seen on the wire."""
    app = make_app(100.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app._take_snapshot()
        app._show()
        assert sent_by(app) == ""


def test_libraries_are_loaded_when_they_are_needed() -> None:
    """The first paint has neither httpx nor pynvml nor plotext; a chart brings plotext."""
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
