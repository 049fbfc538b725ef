"""The whole picture as a value: which panels stand where, and what each of them shows."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tokentop.config.schema import UiConfig
from tokentop.domain.history import Sample
from tokentop.domain.model import Snapshot
from tokentop.views.tui import processes
from tokentop.views.tui.draw import panels
from tokentop.views.tui.draw.arrange import Placement, arrange
from tokentop.views.tui.draw.facts import facts
from tokentop.views.tui.draw.footer import HINTS
from tokentop.views.tui.draw.frame import framed, rule
from tokentop.views.tui.draw.gpu_rows import arranged
from tokentop.views.tui.draw.line import Line, Look, block, plain
from tokentop.views.tui.keys import KEYS
from tokentop.views.tui.view import View

CHARTS = ("utilization", "multiplier", "queue", "vram")
_CHART = "chart-"
_TALL = 36  # rows from which panels have frames, as on the dashboard
_OPENS = {"gpus": "view('gpus')", "history": "view('history')", "multiplier": "view('history')"}


class Scene(NamedTuple):
    """Everything the picture is a function of.

    `now` is the monotonic time that the picture shows; `elapsed_s` the time since its snapshot was
    folded, which goes on while the picture stands still.
    """

    snapshot: Snapshot
    view: View
    samples: Callable[[], Sequence[Sample]]
    now: float
    elapsed_s: float = 0.0
    clock: str = ""
    interval_s: float = 4.0
    ui: UiConfig = UiConfig()
    insecure_tls: bool = False

    @property
    def look(self) -> Look:
        """The same, as the drawing functions want it."""
        view = self.view
        return Look(
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
        )


def placements(scene: Scene, width: int, height: int) -> tuple[Placement, ...]:
    """The panels of the scene's view on a screen of `width` x `height` cells."""
    if scene.view.name == "dashboard" or width < 20 or height < 8:
        return arrange(width, height, facts(scene.snapshot, scene.look))
    chrome = "frame" if width >= 60 and height >= 20 else "rule"
    room = Placement("", 0, 1, width, height - 2, "frame" if chrome == "frame" else "rule")
    inside = _gpu_view(scene, room) if scene.view.name == "gpus" else _charts(room)
    header = Placement("header", 0, 0, width, 1)
    footer = Placement("footer", 0, height - 1, width, 1)
    return (header, *inside, footer)


def _gpu_view(scene: Scene, room: Placement) -> tuple[Placement, ...]:
    """The pool above, as tall as it needs up to three fifths; its processes below."""
    edges = 3 if room.chrome == "frame" else 1
    pool = min(max(1, len(scene.snapshot.gpus)) + edges, max(4, room.height * 3 // 5))
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
            room.chrome,
        )
        for y in range(down)
        for x in range(across)
    )


def lines(scene: Scene, place: Placement) -> list[Line]:
    """One panel's lines, exactly as large as its place."""
    if place.panel.startswith(_CHART):
        return _chart(scene, place)
    if place.panel == "history":  # the dashboard's own, so that it does without plotext's 10 MB
        history = [sample.utilization for sample in scene.samples()]
        return panels.draw(scene.snapshot, place, scene.look._replace(history=history))
    if place.panel == "processes":
        return _own(scene, place, "Processes", [], processes.lines)
    return panels.draw(scene.snapshot, place, scene.look)


def _chart(scene: Scene, place: Placement) -> list[Line]:
    from tokentop.views.tui import history_view  # plotext is paid for when a chart is seen

    name = place.panel.removeprefix(_CHART)
    samples = scene.samples()

    def inside(snapshot: Snapshot, width: int, height: int, look: Look) -> list[Line]:
        return history_view.lines(
            name, snapshot, samples, scene.now, width, height, ascii=look.ascii
        )

    title = history_view.MEASURES[name].title
    now: Line = [("now ", "dim"), (history_view.latest(name, samples), "bright")]
    return _own(scene, place, title, now, inside)


def _own(
    scene: Scene, place: Placement, title: str, summary: Line, inside: panels.Lines
) -> list[Line]:
    """A panel that the dashboard does not have, set off as its place says."""
    look, edge = scene.look, {"frame": (4, 2), "rule": (0, 1), "bare": (0, 0)}[place.chrome]
    width, height = place.width - edge[0], place.height - edge[1]
    if width < 1 or height < 1:
        return block([], place.width, place.height)
    drawn = inside(scene.snapshot, width, height, look)
    if place.chrome == "frame":
        drawn = framed(drawn, title, summary, place.width, place.height)
    elif place.chrome == "rule":
        drawn = [rule(title, summary, place.width), *drawn]
    return plain(drawn) if look.ascii else drawn


def ticking(scene: Scene, place: Placement) -> bool:
    """True where the panel shows an age, a countdown or the clock; paused, the header alone."""
    if scene.view.paused_at is not None and place.panel != "header":
        return False
    return place.panel in panels.PANELS and panels.ticks(place.panel, scene.snapshot)


def scrolling(scene: Scene, shown: Sequence[Placement]) -> tuple[int, int]:
    """The last row at which the list may start, and the rows of one page."""
    found = [(0, 1)]
    for place in shown:
        if place.panel in ("gpus", "processes"):
            room = max(1, place.height - (3 if place.chrome == "frame" else 1))
            found.append((max(0, _rows(scene, place.panel) - room), room))
    return max(found)


def _rows(scene: Scene, panel: str) -> int:
    look = scene.look
    if panel == "processes":
        return len(processes.rows(scene.snapshot, look))
    return len(arranged(scene.snapshot.gpus, look.sort, look.filter))


def click(scene: Scene, shown: Sequence[Placement], x: int, y: int) -> str | None:
    """The action that a click on a cell means, if any."""
    for place in shown:
        if place.x <= x < place.x + place.width and place.y <= y < place.y + place.height:
            if place.panel == "footer":
                return _hint(scene, place, x - place.x)
            return _OPENS.get(place.panel) if scene.view.name == "dashboard" else None
    return None


def _hint(scene: Scene, place: Placement, x: int) -> str | None:
    """The action of the key hint under a cell of the footer."""
    text = "".join(part for part, _ in lines(scene, place)[0])
    for key, word in HINTS:
        start = text.find(f" {key} {word}")
        if 0 <= start < x <= start + len(key) + len(word) + 1:
            return next((k.action for k in KEYS if key[0] in k.shown.split()), None)
    return None
