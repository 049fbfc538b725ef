"""The command palette in terminals that have no room for it."""

import pytest

from tests.views.tui.conftest import frozen
from tokentop.views.tui.app import TokentopApp

SIZES = [(6, 61), (1, 1), (3, 20), (10, 10)]


@pytest.mark.parametrize("size", SIZES)
async def test_the_palette_opens_at_any_width(size: tuple[int, int]) -> None:
    """Textual's own wraps its rows at no width there, and ends the program."""
    async with TokentopApp(frozen(8.0)).run_test(size=size) as pilot:
        await pilot.press("ctrl+p", "a", "escape")


async def test_the_palette_shrinks_to_any_width() -> None:
    """While it is open."""
    async with TokentopApp(frozen(8.0)).run_test(size=(80, 24)) as pilot:
        for size in SIZES:
            await pilot.press("ctrl+p")
            await pilot.resize_terminal(*size)
            await pilot.press("a", "pagedown", "escape", "escape")
            await pilot.resize_terminal(80, 24)
