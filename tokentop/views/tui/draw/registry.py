"""Every panel: the dashboard's, in the order they stand there from top to bottom, and the others.

The others are parts of other views, and loaded when one of them is shown.
"""

from importlib import import_module

from tokentop.views.tui.draw.layout import Declared, Placement, arrange
from tokentop.views.tui.draw.layout_inputs import LayoutInputs
from tokentop.views.tui.draw.panel import Panel, places_of
from tokentop.views.tui.draw.panels import (
    banner,
    capacity,
    cloud,
    economy,
    footer,
    header,
    metrics,
    multiplier,
    search,
    services,
    strip,
    tokens,
    welcome,
)
from tokentop.views.tui.draw.panels.engines import table as engines
from tokentop.views.tui.draw.panels.gpus import panel as gpus
from tokentop.views.tui.draw.panels.gpus import processes
from tokentop.views.tui.draw.panels.history import panel as history
from tokentop.views.tui.draw.panels.slots import panel as slots

DASHBOARD: dict[str, Panel] = {
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
        history.PANEL,
        engines.PANEL,
        metrics.PANEL,
        capacity.PANEL,
        cloud.PANEL,
        economy.PANEL,
        services.PANEL,
        footer.PANEL,
    )
}

ELSEWHERE = {
    "costs": "costs",
    "why": "why",
    "events": "events",
    "timeline": "timeline",
    "hosts": "hosts",
    "hardware": "gpus.hardware",
    "today": "ledger.today",
    "budgets": "ledger.budgets",
    "ledger": "ledger.entries",
}  # by name the module, below `panels`, that declares it


def panel_of(name: str) -> Panel:
    """The panel of that name."""
    if (found := DASHBOARD.get(name)) is not None:
        return found
    module = import_module(f"tokentop.views.tui.draw.panels.{ELSEWHERE[name]}")
    declared: Panel = module.PANEL
    return declared


def dashboard(width: int, height: int, inputs: LayoutInputs) -> tuple[Placement, ...]:
    """Where the dashboard's panels stand on a screen of `width` x `height` cells."""
    declared: list[Declared] = [(p.name, places_of(p, inputs)) for p in DASHBOARD.values()]
    return arrange(declared, width, height, inputs)
