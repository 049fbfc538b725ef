"""The whole screen as a value: which panels stand where, and the lines of each."""

import time
from collections.abc import Callable, Sequence

from tokentop.config.schema import DiscoveryConfig, UiConfig
from tokentop.domain.engines.history import Trends
from tokentop.domain.history import Sample
from tokentop.domain.hosts import HostRow
from tokentop.domain.ledger.listing import Page
from tokentop.domain.past import POINTS, Past
from tokentop.domain.policy import INTERVAL_S, CostPolicy
from tokentop.domain.presence import Presence, presence
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.timeline import Timeline
from tokentop.domain.verdict.values import Event
from tokentop.light_typing import TYPE_CHECKING
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.kit.line import DrawOptions, LedgerOptions, Line
from tokentop.views.tui.draw.layout import Placement, edges
from tokentop.views.tui.draw.layout_inputs import driver_trouble, layout_inputs
from tokentop.views.tui.draw.panel import Panel, draw_panel
from tokentop.views.tui.draw.registry import dashboard, panel_of
from tokentop.views.tui.options import chosen
from tokentop.views.tui.state import PAGES, ViewState

_ENGINES = ("tokens", "ttft", "kv", "queue", "power", "usd")
if TYPE_CHECKING:
    from tokentop.views.tui.draw.panels.history import charts

CHARTS: dict[Presence, tuple[str, ...]] = {
    "stack": ("utilization", "multiplier", "queue", "vram"),
    "engines": _ENGINES,
    "gpus": ("gpu", "vram", "power", "heat"),
    "nothing": ("gpu", "vram", "power", "heat"),
}
_CHART = "chart-"
_TRENDS = ("slots", "tokens", "metrics", "capacity", "history")  # panels with a past
_HARDWARE_FROM = 14  # rows of the GPU page from which clocks and links have a place
_FRAMED_GPUS = 32
_LISTED_FROM = 6  # rows that a list has before the sums above it take any
_OPENED = {"budgets": "budget", "ledger": "entry"}  # the panel of what is opened in full
_FOLDED = 10  # cells of a GPU where the pool is folded into columns


class ScreenModel(NamedTuple):
    """Everything that the screen is a function of; times are monotonic seconds.

    `now`, when the history ends, stands still while paused; `elapsed_s` since the fold goes on.
    `past` and `page` are what the view asks for; Unix time is `wall_ahead_s` ahead of monotonic.
    """

    snapshot: Snapshot
    view: ViewState
    samples: Callable[[], Sequence[Sample]]
    now: float
    elapsed_s: float = 0.0
    clock: str = ""
    interval_s: float = INTERVAL_S
    ui: UiConfig = UiConfig()
    insecure_tls: bool = False
    records: bool = True
    trends: Callable[[str], Trends] = lambda _: Trends()
    burn_at: float = CostPolicy().silent_burn_at
    discovery: DiscoveryConfig = DiscoveryConfig()
    searched: tuple[int, int] = (0, 0)
    events: Sequence[tuple[str, Event]] = ()
    fleet: Sequence[HostRow] = ()
    past: Past = Past()
    page: Page = Page()
    wall_ahead_s: float = 0.0
    local: Callable[[float], time.struct_time] = time.gmtime
    timeline: Timeline | None = None

    @property
    def options(self) -> DrawOptions:
        """What the panels depend on besides the snapshot."""
        return chosen(self.view)._replace(
            ascii=self.ui.ascii,
            elapsed_s=self.elapsed_s,
            clock=self.clock,
            paused=self.view.paused_at is not None or self._stands_still,
            insecure_tls=self.insecure_tls,
            records=self.records,
            hidden=frozenset(self.ui.hide),
            interval_s=self.interval_s,
            burn_at=self.burn_at,
            search=self.discovery.enabled,
            hosts_searched=self.discovery.hosts,
            ports_searched=self.discovery.ports,
            searched=self.searched,
            trends=self.trends,
            events=self.events,
            timeline=self.timeline,
            fleet=self.fleet,
            ledger=self._ledger,
        )

    @property
    def _ledger(self) -> LedgerOptions:
        view, wall = self.view, self.now + self.wall_ahead_s
        order = (view.budget_sort, view.budget_reverse, view.budget)
        return LedgerOptions(*order, self.page, view.entry, wall, self.local)

    @property
    def _stands_still(self) -> bool:
        return self.timeline is not None and not self.timeline.playing


def placements(model: ScreenModel, width: int, height: int) -> tuple[Placement, ...]:
    """The panels of the model's view on a screen of `width` x `height` cells."""
    if model.timeline is None or height < 2:
        return _view(model, width, height)
    timeline = Placement("timeline", 0, height - 1, width, 1)
    return (*_view(model, width, height - 1), timeline)


def _view(model: ScreenModel, width: int, height: int) -> tuple[Placement, ...]:
    if model.view.name == "dashboard" or width < 20 or height < 8:
        return dashboard(width, height, layout_inputs(model.snapshot, model.options))
    tall = _FRAMED_GPUS if model.view.name == "gpus" else 20  # three frames cost nine rows
    border = "frame" if width >= 60 and height >= tall else "rule"
    room = Placement("", 0, 1, width, height - 2, "frame" if border == "frame" else "rule")
    inside = _inside(model, room)
    header = Placement("header", 0, 0, width, 1)
    footer = Placement("footer", 0, height - 1, width, 1)
    return (header, *inside, footer)


def _inside(model: ScreenModel, room: Placement) -> tuple[Placement, ...]:
    """The panels between header and footer."""
    view = model.view
    if view.name == "gpus":
        return _gpu_view(model, room)
    if view.name == "engines":
        return (room._replace(panel="engines" if view.opened is None else "engine"),)
    if view.name in ("budgets", "ledger"):
        return _ledger_view(model, room)
    if view.name in (*PAGES, "hosts"):
        return (room._replace(panel=view.name),)
    return _charts(room, charted(model))


def _ledger_view(model: ScreenModel, room: Placement) -> tuple[Placement, ...]:
    """Today's sums above the budgets, or above the entries; what is opened stands alone."""
    if model.view.opened is not None:
        return (room._replace(panel=_OPENED[model.view.name]),)
    from tokentop.views.tui.draw.panels.ledger import today

    above = today.ROWS + 2 * (room.border == "frame")
    if model.snapshot.ledger is None or room.height < above + _LISTED_FROM:
        return (room._replace(panel=model.view.name),)
    sums, rest = _stacked(room, (("today", above), (model.view.name, room.height - above)))
    return (sums if sums.border == "frame" else sums._replace(border="bare"), rest)


def _gpu_view(model: ScreenModel, room: Placement) -> tuple[Placement, ...]:
    """The pool, clocks and links, processes, each as tall as it needs as far as there is room."""
    from tokentop.views.tui.draw.panels.gpus import hardware

    rows = len(model.snapshot.gpus) + bool(model.snapshot.engines)  # the legend's
    rows += driver_trouble(model.snapshot) is not None
    edge = sum(edges(room))
    cards = len(hardware.cards(model.snapshot, model.options._replace(filter="")))
    kept = max(4 + edge, room.height // 4)  # for the processes
    spare = room.height - kept
    wanted = cards + edge if cards and room.height >= _HARDWARE_FROM else 0
    pool = _pool_height(max(1, rows), edge, room.width, spare - min(wanted, spare * 3 // 5))
    pool = min(pool, room.height - 1)  # the processes keep a row on the smallest screen
    links = min(wanted, spare - pool)
    links = links if links > edge else 0
    heights = (("gpus", pool), ("hardware", links), ("processes", room.height - pool - links))
    return _stacked(room, [(name, height) for name, height in heights if height])


def _pool_height(rows: int, edge: int, width: int, room: int) -> int:
    """Every row where there is room, else the rows of as many columns as it takes."""
    if rows + edge <= room:
        return rows + edge
    across = min(-(-rows // max(1, room - edge)), max(1, (width - 2) // _FOLDED))
    return max(4, edge + -(-rows // across))


def _stacked(room: Placement, panels: Sequence[tuple[str, int]]) -> tuple[Placement, ...]:
    """One below the other, from the top of `room`."""
    places: list[Placement] = []
    y = room.y
    for name, height in panels:
        places.append(room._replace(panel=name, y=y, height=height))
        y += height
    return tuple(places)


def charted(model: ScreenModel) -> tuple[str, ...]:
    """The measures of the history view: of the stack, the engines or the GPUs what has a value."""
    from tokentop.views.tui.draw.panels.history import charts  # loads plotext, 5 MB

    names = CHARTS[presence(model.snapshot)]
    if presence(model.snapshot) == "stack" and model.snapshot.engines:
        names = tuple(dict.fromkeys((*names, *_ENGINES)))
    return charts.recorded(names, _period(model).samples)


def _period(model: ScreenModel) -> "charts.Period":
    """What the charts draw: the last hour in memory, or a stretch of the past."""
    from tokentop.views.tui.draw.panels.history import charts

    view = model.view
    if view.span_s is None:
        return charts.Period(model.samples(), model.now, view.moment)
    slice_s = view.span_s / POINTS  # between two slices the picture stands still
    end = (model.now // slice_s + 1) * slice_s if view.ends_at is None else view.ends_at
    past, clock = model.past, (model.wall_ahead_s, model.local)
    return charts.Period(past.mean, end, view.moment, view.span_s, past, *clock)


def _charts(room: Placement, names: Sequence[str]) -> tuple[Placement, ...]:
    """Side by side where it is wide; as many rows as are readable, the last one filled up."""
    across = 3 if room.width >= 180 and len(names) > 4 else 2 if room.width >= 100 else 1
    fits = max(1, room.height // 5)
    if len(names) > across * fits and room.width >= 72:
        across = 2 if across == 1 else across
    down = min(-(-len(names) // across), fits)
    shown = names[: across * down]
    rows = [room.height * i // down for i in range(down + 1)]
    placed: list[Placement] = []
    for y in range(down):
        row = shown[y * across : (y + 1) * across]
        edges = [room.width * i // len(row) for i in range(len(row) + 1)]
        placed += [
            Placement(_CHART + name, room.x + x, room.y + rows[y], end - x,
                      rows[y + 1] - rows[y], room.border)
            for name, x, end in zip(row, edges, edges[1:], strict=False)
        ]  # fmt: skip
    return tuple(placed)


def lines(model: ScreenModel, place: Placement, options: DrawOptions | None = None) -> list[Line]:
    """One panel's lines, exactly as large as its place; `options` are the model's, made once."""
    options = options or model.options
    if place.panel in _TRENDS:
        options = options._replace(samples=model.samples(), now=model.now)
    if model.view.name == "gpus" and place.panel in ("gpus", "hardware"):
        options = options._replace(offset=_gpu_offset(model, place.panel))
    return draw_panel(_panel(model, place.panel), model.snapshot, place, options)


def _gpu_offset(model: ScreenModel, panel: str) -> int:
    """Where a list of GPUs begins that is cut: at the GPU of the process under the cursor."""
    from tokentop.views.tui.draw.panels.gpus import hardware, process_rows
    from tokentop.views.tui.draw.panels.gpus.rows import arranged

    found = process_rows.rows(model.snapshot, model.options)
    if not found:
        return model.view.offset
    here = found[process_rows.place_of(found, model.view.process)].gpu
    options = model.options
    pool = arranged(model.snapshot.gpus, options.sort, options.filter)
    if panel == "hardware":
        pool = hardware.cards(model.snapshot, options)
    return next((i for i, gpu in enumerate(pool) if gpu.uuid in (here.uuid, here.mig)), 0)


def _panel(model: ScreenModel, name: str) -> Panel:
    """The panel of that name; a chart and an opened engine have more to show than a snapshot."""
    if name.startswith(_CHART):
        from tokentop.views.tui.draw.panels.history import charts  # loads plotext, 5 MB

        return charts.panel(name.removeprefix(_CHART), name, _period(model))
    opened = model.view.opened or ""
    if name == "engine":
        from tokentop.views.tui.draw.panels.engines import detail

        return detail.panel(opened, model.trends(opened))
    if name == "budget":
        from tokentop.views.tui.draw.panels.ledger import project

        return project.panel(opened)
    if name == "entry":
        from tokentop.views.tui.draw.panels.ledger import entry

        return entry.panel(opened)
    return panel_of(name)


def ticking(model: ScreenModel, place: Placement) -> bool:
    """True where the panel shows an age, a countdown or the clock; paused, the header alone."""
    if model.view.paused_at is not None and place.panel != "header":
        return False
    return _panel(model, place.panel).ticks(model.snapshot)
