"""The whole picture as a value: which panels stand where, and what each of them shows."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tokentop.config.schema import UiConfig
from tokentop.domain.engines.history import Trends
from tokentop.domain.history import Sample
from tokentop.domain.snapshot import Snapshot
from tokentop.views.tui.draw import registry as panels
from tokentop.views.tui.draw.kit.frame import framed, rule
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, plain
from tokentop.views.tui.draw.layout import Placement, arrange
from tokentop.views.tui.draw.layout_inputs import layout_inputs
from tokentop.views.tui.draw.panels import costs
from tokentop.views.tui.draw.panels.engines import detail as engine
from tokentop.views.tui.draw.panels.engines.rows import listed
from tokentop.views.tui.draw.panels.gpus import processes
from tokentop.views.tui.draw.panels.gpus.rows import arranged
from tokentop.views.tui.state import ViewState

CHARTS = ("utilization", "multiplier", "queue", "vram")
_CHART = "chart-"
_TALL = 36  # rows from which panels have frames, as on the dashboard


class ScreenModel(NamedTuple):
    """Everything the picture is a function of.

    `now` is the monotonic time that the picture shows; `elapsed_s` the time since its snapshot was
    folded, which goes on while the picture stands still.
    """

    snapshot: Snapshot
    view: ViewState
    samples: Callable[[], Sequence[Sample]]
    now: float
    elapsed_s: float = 0.0
    clock: str = ""
    interval_s: float = 4.0
    ui: UiConfig = UiConfig()
    insecure_tls: bool = False
    trends: Callable[[str], Trends] = lambda _: Trends()
    burn_at: float = 0.2

    @property
    def options(self) -> DrawOptions:
        """The same, as the drawing functions want it."""
        view = self.view
        return DrawOptions(
            ascii=self.ui.ascii,
            elapsed_s=self.elapsed_s,
            clock=self.clock,
            paused=view.paused_at is not None,
            insecure_tls=self.insecure_tls,
            sort=view.sort,
            filter=view.filter,
            filtering=view.filtering,
            offset=view.offset,
            compact=view.compact,
            hidden=frozenset(self.ui.hide),
            interval_s=self.interval_s,
            notice=view.notice,
            engine_sort=view.engine_sort,
            engine_filter=view.filter if view.name == "engines" else "",
            cursor=view.cursor if view.name == "engines" else None,
            burn_at=self.burn_at,
            hosts=view.name == "gpus",
        )


def placements(scene: ScreenModel, width: int, height: int) -> tuple[Placement, ...]:
    """The panels of the scene's view on a screen of `width` x `height` cells."""
    if scene.view.name == "dashboard" or width < 20 or height < 8:
        return arrange(width, height, layout_inputs(scene.snapshot, scene.options))
    border = "frame" if width >= 60 and height >= 20 else "rule"
    room = Placement("", 0, 1, width, height - 2, "frame" if border == "frame" else "rule")
    inside = _inside(scene, room)
    header = Placement("header", 0, 0, width, 1)
    footer = Placement("footer", 0, height - 1, width, 1)
    return (header, *inside, footer)


def _inside(scene: ScreenModel, room: Placement) -> tuple[Placement, ...]:
    """What stands between header and footer."""
    view = scene.view
    if view.name == "gpus":
        return _gpu_view(scene, room)
    if view.name == "engines":
        return (room._replace(panel="engines" if view.opened is None else "engine"),)
    return (room._replace(panel="costs"),) if view.name == "costs" else _charts(room)


def _gpu_view(scene: ScreenModel, room: Placement) -> tuple[Placement, ...]:
    """The pool above, as tall as it needs up to three fifths; its processes below."""
    rows = len(scene.snapshot.gpus) + bool(scene.snapshot.engines)  # the legend's
    pool = min(max(1, rows) + sum(edges(room)), max(4, room.height * 3 // 5))
    return (
        room._replace(panel="gpus", height=pool),
        room._replace(panel="processes", y=room.y + pool, height=room.height - pool),
    )


def _charts(room: Placement) -> tuple[Placement, ...]:
    """Two by two where it is wide; else one above the other, as many as are readable."""
    across = 2 if room.width >= 100 else 1
    down = max(1, min(len(CHARTS) // across, room.height // 5))
    rows = [room.height * i // down for i in range(down + 1)]
    columns = [room.width * i // across for i in range(across + 1)]
    return tuple(
        Placement(
            _CHART + CHARTS[y * across + x],
            room.x + columns[x],
            room.y + rows[y],
            columns[x + 1] - columns[x],
            rows[y + 1] - rows[y],
            room.border,
        )
        for y in range(down)
        for x in range(across)
    )


def lines(scene: ScreenModel, place: Placement) -> list[Line]:
    """One panel's lines, exactly as large as its place."""
    if place.panel.startswith(_CHART):
        return _chart(scene, place)
    if place.panel == "history":  # the dashboard's own, so that it does without plotext's 10 MB
        history = [sample.utilization for sample in scene.samples()]
        return panels.draw(scene.snapshot, place, scene.options._replace(history=history))
    if place.panel == "processes":
        return _own(scene, place, "Processes", [], processes.lines)
    if place.panel == "costs":
        said = costs.summary(scene.snapshot, scene.options)
        return _own(scene, place, costs.TITLE, said, costs.lines)
    if place.panel == "engine":
        return _engine(scene, place)
    return panels.draw(scene.snapshot, place, scene.options)


def _chart(scene: ScreenModel, place: Placement) -> list[Line]:
    from tokentop.views.tui.draw.panels.history import (
        charts as history_view,  # plotext is paid for when a chart is seen
    )

    name = place.panel.removeprefix(_CHART)
    samples = scene.samples()

    def inside(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
        return history_view.lines(
            name, snapshot, samples, scene.now, width, height, ascii=options.ascii
        )

    title = history_view.MEASURES[name].title
    now: Line = [("now ", "dim"), (history_view.latest(name, samples), "bright")]
    return _own(scene, place, title, now, inside)


def _engine(scene: ScreenModel, place: Placement) -> list[Line]:
    """The opened engine over everything that is kept of it."""
    identity = scene.view.opened or ""
    one = engine.found(scene.snapshot, identity)
    trends = scene.trends(identity)

    def inside(_: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
        return engine.lines(one, trends, width, height, options)

    title = engine.named(one) if one else "engine"
    return _own(scene, place, title, engine.summary(one, scene.options), inside)


def _own(
    scene: ScreenModel, place: Placement, title: str, summary: Line, inside: panels.Lines
) -> list[Line]:
    """A panel that the dashboard does not have, set off as its place says."""
    options, edge = scene.options, {"frame": (4, 2), "rule": (0, 1), "bare": (0, 0)}[place.border]
    width, height = place.width - edge[0], place.height - edge[1]
    if width < 1 or height < 1:
        return block([], place.width, place.height)
    drawn = inside(scene.snapshot, width, height, options)
    if place.border == "frame":
        drawn = framed(drawn, title, summary, place.width, place.height)
    elif place.border == "rule":
        drawn = [rule(title, summary, place.width), *drawn]
    return plain(drawn) if options.ascii else drawn


def ticking(scene: ScreenModel, place: Placement) -> bool:
    """True where the panel shows an age, a countdown or the clock; paused, the header alone."""
    if scene.view.paused_at is not None and place.panel != "header":
        return False
    if place.panel == "engine":  # it says how old its figures are
        return True
    return place.panel in panels.PANELS and panels.ticks(place.panel, scene.snapshot)


def edges(place: Placement) -> tuple[int, int]:
    """Rows of a table's place above its first row and below its last."""
    return {"frame": (2, 1), "rule": (1, 0), "bare": (0, 0)}[place.border]


def scrolling(scene: ScreenModel, shown: Sequence[Placement]) -> tuple[int, int]:
    """The last row at which the list may start, and the rows of one page."""
    found = [(0, 1)]
    for place in shown:
        rows = _rows(scene, place)
        if rows is not None:
            heads = place.panel in ("gpus", "processes", "engines")
            room = place.height - sum(edges(place)) + (not heads and place.border == "frame")
            room -= rows > room > 1 and place.panel != "processes"  # for the line that says where
            found.append((max(0, rows - max(1, room)), max(1, room)))
    return max(found)


def _rows(scene: ScreenModel, place: Placement) -> int | None:
    """The rows of a list, or of a page of text; None where nothing is to be scrolled."""
    snapshot, options = scene.snapshot, scene.options
    width = place.width - (4 if place.border == "frame" else 0)
    if place.panel == "gpus":
        return len(arranged(snapshot.gpus, options.sort, options.filter))
    if place.panel == "processes":
        return len(processes.rows(snapshot, options))
    if scene.view.name == "engines" and place.panel == "engines":
        return len(listed(snapshot.engines, options.engine_sort, options.engine_filter))
    if place.panel == "costs":
        return len(costs.page(snapshot, width))
    one = engine.found(snapshot, scene.view.opened or "") if place.panel == "engine" else None
    return len(engine.page(one, Trends(), width, options)) if one else None
