"""Every panel, in the order they stand on the dashboard from top to bottom.

The last ones have no place there: they are parts of other views.
"""

from tokentop.views.tui.draw.layout import Declared, Placement, arrange
from tokentop.views.tui.draw.layout_inputs import LayoutInputs
from tokentop.views.tui.draw.panel import Panel, places_of
from tokentop.views.tui.draw.panels import (
    banner,
    capacity,
    cloud,
    costs,
    economy,
    events,
    footer,
    header,
    hosts,
    metrics,
    multiplier,
    search,
    services,
    strip,
    timeline,
    tokens,
    welcome,
    why,
)
from tokentop.views.tui.draw.panels.engines import table as engines
from tokentop.views.tui.draw.panels.gpus import hardware, processes
from tokentop.views.tui.draw.panels.gpus import panel as gpus
from tokentop.views.tui.draw.panels.history import panel as history
from tokentop.views.tui.draw.panels.ledger import budgets, entries, today
from tokentop.views.tui.draw.panels.slots import panel as slots

PANELS: dict[str, Panel] = {
    panel.name: panel
    for panel in (
        header.PANEL,
        banner.PANEL,
        strip.PANEL,
        welcome.PANEL,
        slots.PANEL,
        multiplier.PANEL,
        gpus.PANEL,
        tokens.PANEL,
        search.PANEL,
        processes.PANEL,
        hardware.PANEL,
        history.PANEL,
        engines.PANEL,
        metrics.PANEL,
        capacity.PANEL,
        cloud.PANEL,
        economy.PANEL,
        services.PANEL,
        footer.PANEL,
        costs.PANEL,
        why.PANEL,
        events.PANEL,
        timeline.PANEL,
        hosts.PANEL,
        today.PANEL,
        budgets.PANEL,
        entries.PANEL,
    )
}


def dashboard(width: int, height: int, inputs: LayoutInputs) -> tuple[Placement, ...]:
    """Where the dashboard's panels stand on a screen of `width` x `height` cells."""
    declared: list[Declared] = [(p.name, places_of(p, inputs)) for p in PANELS.values()]
    return arrange(declared, width, height, inputs)
