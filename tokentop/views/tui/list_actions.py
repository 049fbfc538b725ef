"""The actions of lists: sorting, filtering, scrolling, opening, and the history's cursor."""

from tokentop.light_typing import TYPE_CHECKING
from tokentop.runtime.live.choose import AnySession
from tokentop.views.tui import history_range, navigation
from tokentop.views.tui.screen_model import ScreenModel
from tokentop.views.tui.screens.monitor import MonitorScreen
from tokentop.views.tui.state import ViewState

if TYPE_CHECKING:
    from tokentop.views.tui.terminal.app import TerminalApp as Base
else:
    Base = object  # the app brings it: Textual prepares every class of an App for 0.2 ms


class ListActions(Base):
    """What the keys of the group "Lists" and clicks on headings do; the app has the rest."""

    view: ViewState
    session: AnySession

    @property
    def monitor(self) -> MonitorScreen:
        """The screen at the bottom of the stack."""
        raise NotImplementedError

    def model(self) -> ScreenModel:
        raise NotImplementedError

    def _change_view(self, view: ViewState) -> None:
        raise NotImplementedError

    def _remember(self) -> None:
        raise NotImplementedError

    def _notify(self, notice: str) -> None:
        raise NotImplementedError

    def _take_snapshot(self) -> None:
        raise NotImplementedError

    def _show(self) -> None:
        raise NotImplementedError

    def action_sort(self) -> None:
        self._sorted(navigation.resorted(self.view, navigation.listing(self.view)))

    def action_sort_by(self, table: str, sort: str) -> None:
        self._sorted(navigation.sorted_by(self.view, table, sort))

    def action_reverse(self) -> None:
        self._sorted(navigation.reversed_order(self.view, navigation.listing(self.view)))

    def _sorted(self, view: ViewState) -> None:
        self._change_view(view)
        self._remember()

    def action_filter(self) -> None:
        self._change_view(self.view._replace(filtering=self.view.opened is None))

    def action_step_back(self) -> None:
        self._change_view(navigation.back(self.view))

    def action_open(self, identity: str | None = None) -> None:
        self._change_view(navigation.opened(self.model(), identity))

    def action_open_row(self, place: int) -> None:
        """Open the row at that place of the list that has a cursor."""
        listed = navigation.with_cursor(self.model(), self.monitor.placed)
        if listed is not None:
            self.action_open(listed.keys[place])

    def action_dismiss(self) -> None:
        """Forget the engine that is opened, or under the cursor, if it is gone."""
        identity = self.view.opened or navigation.selected(self.model())
        if identity is None or not self.session.dismiss(identity):
            self._notify("Only an engine that is gone can be forgotten")
            return
        self._change_view(navigation.back(self.view) if self.view.opened else self.view)
        self._take_snapshot()
        self._show()
        self._notify("Forgotten; a search that finds it again brings it back")

    def action_scroll_rows(self, rows: int) -> None:
        self._change_view(navigation.scrolled(self.model(), self.monitor.placed, rows))

    def action_scroll_pages(self, pages: int) -> None:
        self._change_view(navigation.paged(self.model(), self.monitor.placed, pages))

    def action_scroll_to(self, end: int) -> None:
        self._change_view(navigation.to_end(self.model(), self.monitor.placed, end))

    def action_point(self, steps: int) -> None:
        self._change_view(history_range.pointed(self.model(), steps))
