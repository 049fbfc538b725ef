"""The stretch of time that the history view shows, and its cursor: zoom, pan, point."""

from tokentop.domain.history import SPANS_S, span_of
from tokentop.views.tui.screen_model import ScreenModel
from tokentop.views.tui.state import ViewState

_HOUR_S, _DAY_S = 3600.0, 86_400.0
ZOOM_SPANS_S = (
    *SPANS_S, 3 * _HOUR_S, 6 * _HOUR_S, 12 * _HOUR_S, _DAY_S, 3 * _DAY_S, 7 * _DAY_S, 30 * _DAY_S,
    91 * _DAY_S, 365 * _DAY_S, 730 * _DAY_S,
)  # fmt: skip
CURSOR_STEPS = 60  # of the history's cursor over the whole span


def pointed(model: ScreenModel, steps: int) -> ViewState:
    """The history's cursor `steps` columns further right; past the newest there is none."""
    view = model.view
    if view.name != "history":
        return view
    samples, end = model.samples(), stretch_end(model)
    span_s = view.span_s or span_of(samples, end)
    at = (end if view.moment is None else view.moment) + steps * span_s / CURSOR_STEPS
    oldest = samples[0].t if samples and view.span_s is None else end - span_s
    return view._replace(moment=None if at >= end else max(at, oldest))


def stretch_end(model: ScreenModel) -> float:
    """The monotonic moment at which the history's stretch ends."""
    return model.now if model.view.ends_at is None else model.view.ends_at


def zoomed(model: ScreenModel, steps: int) -> ViewState:
    """The history over a longer (+1) or shorter (-1) span, around the cursor where there is one."""
    view = model.view
    span_s = view.span_s or (SPANS_S[-1] if steps > 0 else span_of(model.samples(), model.now))
    if steps > 0:
        after = next((s for s in ZOOM_SPANS_S if s > span_s), ZOOM_SPANS_S[-1])
    else:
        after = next((s for s in reversed(ZOOM_SPANS_S) if s < span_s), ZOOM_SPANS_S[0])
    end = stretch_end(model) if view.moment is None else view.moment + after / 2
    return _ending(model, view._replace(span_s=after), end)


def panned(model: ScreenModel, steps: int) -> ViewState:
    """The history half a span earlier (-1) or later (+1), at most up to now."""
    view = model.view
    span_s = view.span_s or span_of(model.samples(), model.now)
    end = stretch_end(model) + steps * span_s / 2
    return _ending(model, view._replace(span_s=span_s, moment=None), end)


def _ending(model: ScreenModel, view: ViewState, end: float) -> ViewState:
    if view.name != "history":
        return model.view
    return view._replace(ends_at=None if end >= model.now else end)
