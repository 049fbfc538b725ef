"""From view to view: wherever one is, the next key leads somewhere."""

from itertools import product

from tests.views.tui.pilot import AppPilot, pressed
from tokentop.light_typing import get_args
from tokentop.views.tui.state import NAMES, Name, ViewState


def test_tab_goes_on_from_every_view() -> None:
    """Also from views that it does not visit, opened one over the other."""
    for first, then, step in product(get_args(Name), get_args(Name), (1, -1)):
        view = ViewState().named(first).named(then)
        assert view.next(step).name in NAMES
        assert then not in NAMES or view.next(step).next(-step).name == then


async def test_tab_leads_out_of_the_ledger(at_large: AppPilot) -> None:
    """Opened over the budgets, from which tab does not go on either."""
    assert "Processes" in await pressed(at_large, "b", "l", "tab")
    assert "Processes" in await pressed(at_large, "b", "w", "tab")
