"""The actions of the history view: zoom, pan, and the stretch of the past that it then shows."""

from tokentop.domain.past import POINTS, Past, PastError, Stretch
from tokentop.light_typing import TYPE_CHECKING
from tokentop.views.tui import history_range
from tokentop.views.tui.process_actions import ProcessActions
from tokentop.views.tui.state import ViewState

if TYPE_CHECKING:
    from tokentop.domain.history import Sample

REFRESH_S = 10.0


class HistoryActions(ProcessActions):
    """What `[`, `]`, `<` and `>` do; the app has the rest."""

    _past = Past()
    _past_read_at = float("-inf")

    def _show(self) -> None:
        raise NotImplementedError

    def action_zoom(self, steps: int) -> None:
        self._look_at(history_range.zoomed(self.model(), steps))

    def action_pan(self, steps: int) -> None:
        self._look_at(history_range.panned(self.model(), steps))

    def _look_at(self, view: ViewState) -> None:
        self._change_view(view)
        self._read_past()

    def _refresh_past(self) -> None:
        """Read again a stretch that ends now, as often as a new slice of it begins."""
        view = self.view
        if view.span_s is None or view.ends_at is not None or view.paused_at is not None:
            return
        if self.session.now() - self._past_read_at >= max(REFRESH_S, view.span_s / POINTS):
            self._read_past()

    def _read_past(self) -> None:
        if self.view.span_s is not None:
            self.run_worker(self._load_past(), name="read the past", group="past", exclusive=True)

    async def _load_past(self) -> None:
        view, now, wall = self.view, self.session.now(), self.session.wall()
        self._past_read_at = now
        end = wall - now + history_range.stretch_end(self.model())
        try:
            found = await self.session.past(Stretch(end - (view.span_s or 0.0), end))
        except PastError as error:
            self._notify(str(error))
            return
        newest = found.mean[-1].t if found.mean else now - (view.span_s or 0.0)
        fresh = () if view.ends_at else tuple(s for s in self.model().samples() if s.t > newest)
        self._past = _extended(found, fresh)
        self._show()


def _extended(past: Past, fresh: "tuple[Sample, ...]") -> Past:
    """With what is not yet in the store."""
    return Past(past.low + fresh, past.mean + fresh, past.high + fresh)
