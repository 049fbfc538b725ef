"""The command palette in terminals that have no room for it."""

import pytest

from tests.views.tui.conftest import frozen
from tokentop.views.tui.app import TokentopApp


@pytest.mark.parametrize("size", [(6, 61), (1, 1), (3, 20), (10, 10)])
async def test_the_palette_opens_and_shrinks_at_any_width(size: tuple[int, int]) -> None:
    """Textual's own wraps its rows at no width there, and ends the program."""
    async with TokentopApp(frozen(30.0)).run_test(size=size) as pilot:
        await pilot.press("ctrl+p", "a", "escape")
    async with TokentopApp(frozen(30.0)).run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        await pilot.resize_terminal(*size)
        await pilot.press("a", "pagedown", "escape")
