"""The alerts as they stand, and what has changed since the start, the newest first."""

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import cell_width, clean, fit
from tokentop.domain.verdict.values import Alert, Event, EventCode
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, window, wrapped
from tokentop.views.tui.draw.panel import Panel

_BAD, _WARNING, _GOOD, _PLAIN = ("■", "error"), ("▲", "warn"), ("●", "active"), ("·", "dim")
_MARKS: dict[EventCode, tuple[str, str]] = {
    "engine_down": _BAD,
    "engine_starting": _WARNING,
    "engine_ready": _GOOD,
    "engine_back": _GOOD,
    "engine_restarted": _WARNING,
    "service_down": _BAD,
    "service_back": _GOOD,
    "driver_silent": _BAD,
    "driver_back": _GOOD,
    "gpu_lost": _BAD,
    "gpu_back": _GOOD,
    "gpu_throttled": _WARNING,
    "gpu_xid": _BAD,
    "rejections": _WARNING,
    "preemptions": _WARNING,
    "alert_firing": _WARNING,
    "alert_resolved": _GOOD,
    "flagged": _WARNING,
}
_STATE = 9  # cells of an alert's state
_CODE = 17  # cells of a code
_WIDE = 80  # cells from which the codes stand beside the sentences


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The page in exactly `height` lines of `width` cells, from row `options.offset` on."""
    return window(page(snapshot, options, width), width, height, options.offset)


def page(snapshot: Snapshot, options: DrawOptions, width: int) -> list[Line]:
    """All rows, whatever the height."""
    alerts = [row for alert in snapshot.alerts for row in _alert_rows(alert, width)]
    return [*alerts, *([[]] if alerts else []), *_event_rows(options, width)]


def _alert_rows(alert: Alert, width: int) -> list[Line]:
    """The state, the name that the configuration knows it by, and the sentence beside them."""
    name = _CODE if width >= _WIDE else 0
    before = 3 + _STATE + name
    told = clean(alert.text if name else f"{alert.name}: {alert.text}", 300)
    sentences = wrapped(told, max(12, width - before), 4)
    symbol, style = _alert_mark(alert)
    head: Line = [(symbol + "  ", style), (fit(alert.state, _STATE), "bright")]
    if name:
        head.append((fit(clean(alert.name), name), "dim"))
    rest = [[(" " * before, "text"), (row, "text")] for row in sentences[1:]]
    return [[*head, (sentences[0], "text")], *rest]


def _alert_mark(alert: Alert) -> tuple[str, str]:
    if alert.state == "firing":
        return _BAD if alert.severity == "critical" else _WARNING
    return _GOOD if alert.state == "resolved" else _PLAIN


def _event_rows(options: DrawOptions, width: int) -> list[Line]:
    if not options.events:
        return [[("Nothing has changed since the start.", "dim")]]
    column = max(cell_width(clock) for clock, _ in options.events)
    newest_first = reversed(options.events)
    return [row for clock, event in newest_first for row in _rows(clock, event, column, width)]


def _rows(clock: str, event: Event, column: int, width: int) -> list[Line]:
    """When, the code that scripts know it by, and the sentence, wrapped beside them."""
    code = _CODE if width >= _WIDE else 0
    before = column + 4 + code
    sentences = wrapped(clean(event.text, 300), max(12, width - before), 4)
    symbol, style = _MARKS.get(event.code, _PLAIN)
    head: Line = [(fit(clock, column) + " ", "dim"), (symbol + "  ", style)]
    if code:
        head.append((fit(event.code, code), "dim"))
    rest = [[(" " * before, "text"), (row, "text")] for row in sentences[1:]]
    return [[*head, (sentences[0], "text")], *rest]


def _summary(snapshot: Snapshot, options: DrawOptions) -> Line:
    count = len(options.events)
    fires = any(alert.state == "firing" for alert in snapshot.alerts)
    words = (["z silences what fires"] if fires else []) + (
        [f"{count} since the start"] if count else []
    )
    return [(" · ".join(words), "dim")] if words else []


PANEL = Panel("events", lines, "events", _summary)
