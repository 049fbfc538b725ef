"""Colour: a few states in every theme, as SVG. Look at each picture before accepting it.

The text of every state at every size is compared elsewhere; these are about colour. They were
made with Textual 8.2.8: a later one that draws other SVG fails here until somebody has looked.
"""

from collections.abc import Callable

import pytest
from rich.color import ColorType
from rich.segment import Segment

from tests.views.tui.conftest import MakeApp, frozen
from tests.views.tui.pilot import AppPilot, app_of, strips
from tokentop.views.tui.app import TokentopApp

IDLE, HIGH, SURGE, FULL = 8.0, 66.0, 84.0, 100.0
AT_RUNAWAY = 12.0
SMALL, LARGE = (80, 24), (120, 40)

Compare = Callable[..., bool]


@pytest.mark.parametrize(
    ("theme", "at_s", "size"),
    [
        ("dark", IDLE, SMALL),
        ("dark", HIGH, LARGE),
        ("dark", FULL, LARGE),
        ("dark", FULL, SMALL),
        ("light", HIGH, LARGE),
        ("light", FULL, SMALL),
        ("colorblind", SURGE, LARGE),
        ("colorblind", HIGH, SMALL),
        ("ansi", HIGH, LARGE),
        ("ansi", FULL, SMALL),
    ],
)
def test_the_dashboard(
    snap_compare: Compare, make_app: MakeApp, theme: str, at_s: float, size: tuple[int, int]
) -> None:
    """Every cell has the colour that was accepted."""
    assert snap_compare(make_app(at_s, theme), terminal_size=size)


@pytest.mark.parametrize("key", ["2", "3", "c", "p", "question_mark"])
def test_the_other_views(snap_compare: Compare, make_app: MakeApp, key: str) -> None:
    """GPUs with processes, history, strip, pause and help."""
    assert snap_compare(make_app(FULL), terminal_size=LARGE, press=[key])


async def test_no_color_means_none(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under NO_COLOR only weight, dimness and reverse distinguish things, in every view."""
    monkeypatch.setenv("NO_COLOR", "1")
    async with make_app(FULL).run_test(size=LARGE) as pilot:
        for key in ("1", "2", "3", "t"):
            await pilot.press(key)
            await pilot.pause()
            segments = [s for strip in strips(app_of(pilot)) for s in strip]
            assert not [s for s in segments if _coloured(s)]
            assert any(s.style and s.style.bold for s in segments)


async def test_ansi_uses_the_terminals_own_sixteen(make_app: MakeApp) -> None:
    """The ansi theme names colours, so that the user's palette decides."""
    async with make_app(FULL, "ansi").run_test(size=LARGE) as pilot:
        await pilot.pause()
        segments = [s for strip in strips(app_of(pilot)) for s in strip]
        colours = [s.style.color for s in segments if s.style and s.style.color]
        assert {c.type for c in colours} <= {ColorType.DEFAULT, ColorType.STANDARD}


def _coloured(segment: Segment) -> bool:
    style = segment.style
    colours = (style.color, style.bgcolor) if style else ()
    return any(c is not None and c.type is not ColorType.DEFAULT for c in colours)


@pytest.mark.parametrize("key", ["b", "l"])
@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_the_ledgers_views(snap_compare: Compare, key: str, size: tuple[int, int]) -> None:
    """Budgets and entries of the demo, with the task that runs away."""

    async def read(pilot: AppPilot) -> None:
        await pilot.press(key)
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()

    config = frozen(AT_RUNAWAY)
    config = config._replace(demo=config.demo._replace(part="whole"))
    assert snap_compare(TokentopApp(config), terminal_size=size, run_before=read)
