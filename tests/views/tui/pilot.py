"""Driving the app in a test: keys and mouse events in, the picture as text out."""

from textual.events import MouseDown, MouseEvent, MouseMove, MouseUp
from textual.pilot import Pilot
from textual.strip import Strip

from tokentop.views.tui.app import TokentopApp

AppPilot = Pilot[int]


def app_of(pilot: AppPilot) -> TokentopApp:
    """The app that a pilot runs."""
    assert isinstance(pilot.app, TokentopApp)
    return pilot.app


def strips(app: TokentopApp) -> list[Strip]:
    """The composed screen, one strip a row."""
    return app.screen._compositor.render_strips()


def picture(app: TokentopApp) -> str:
    """The composed screen as text, one line a row."""
    return "\n".join(strip.text for strip in strips(app))


async def pressed(pilot: AppPilot, *keys: str) -> str:
    """The picture after some keys."""
    await pilot.press(*keys)
    await pilot.pause()
    return picture(app_of(pilot))


async def mouse(pilot: AppPilot, kind: type[MouseEvent], x: int, y: int) -> None:
    """One event of the left button, posted to the app as the driver does."""
    pilot.app.post_message(kind(None, x, y, 0, 0, 1, False, False, False, x, y))
    await pilot.pause(0)


async def drag(pilot: AppPilot, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Press at `start`, move to `end` and release there."""
    await mouse(pilot, MouseDown, *start)
    await mouse(pilot, MouseMove, *end)
    await mouse(pilot, MouseUp, *end)
    await pilot.pause()


async def click(pilot: AppPilot, x: int, y: int) -> None:
    """Press and release at one cell."""
    await mouse(pilot, MouseDown, x, y)
    await mouse(pilot, MouseUp, x, y)
    await pilot.pause()
