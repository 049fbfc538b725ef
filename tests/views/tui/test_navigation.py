"""Where a click on the dashboard leads."""

import pytest

from tests import engine_examples, examples
from tests.views.draw.composed import model
from tokentop.domain.snapshot import Snapshot
from tokentop.views.tui.pointer import click
from tokentop.views.tui.screen_model import placements

STACK, BOX = examples.high(), engine_examples.priced()


@pytest.mark.parametrize(
    ("snapshot", "panel", "view"),
    [
        (STACK, "banner", "why"),
        (STACK, "multiplier", "history"),
        (STACK, "gpus", "gpus"),
        (STACK, "history", "history"),
        (BOX, "tokens", "costs"),
        (BOX, "engines", "engines"),
        (STACK, "metrics", None),
        (STACK, "header", None),
    ],
)
def test_a_click_on_a_panel_opens_its_view(
    snapshot: Snapshot, panel: str, view: str | None
) -> None:
    screen = model(snapshot)
    shown = placements(screen, 200, 60)
    (place,) = (place for place in shown if place.panel == panel)
    action = click(screen, shown, place.x + 1, place.y)
    assert action == (None if view is None else f"view('{view}')")
