"""Round local times under a chart of any span."""

import time
from collections.abc import Callable

DAY_S = 86_400.0
_EVERY_S = (
    60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0, 43_200.0,
    DAY_S, 2 * DAY_S, 7 * DAY_S, 14 * DAY_S, 30 * DAY_S, 91 * DAY_S, 182 * DAY_S,
)  # fmt: skip

Local = Callable[[float], time.struct_time]


def marks(end: float, span_s: float, width: int, local: Local) -> list[tuple[float, str]]:
    """Times as (seconds before `end`, negative; label), with room between two in `width` cells.

    `end` is Unix seconds; `local` gives the local time of such a moment.
    """
    written = _form(span_s)
    cells = len(time.strftime(written, local(end))) + 3
    every = next((s for s in _EVERY_S if width * s / span_s >= cells), span_s)
    offset = local(end).tm_gmtoff or 0
    last = int((end + offset) // every)
    first = int((end - span_s + offset) // every) + 1
    moments = (number * every - offset for number in range(first, last + 1))
    return [(moment - end, time.strftime(written, local(moment))) for moment in moments]


def moment(at: float, span_s: float, local: Local) -> str:
    """One moment of a chart of that span, to the minute; to the second where it is short."""
    return time.strftime("%H:%M:%S" if span_s <= 3600.0 else "%m-%d %H:%M", local(at))


def _form(span_s: float) -> str:
    if span_s <= DAY_S:
        return "%H:%M"
    return "%m-%d %H:%M" if span_s <= 3 * DAY_S else "%m-%d" if span_s <= 366 * DAY_S else "%Y-%m"
