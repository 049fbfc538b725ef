"""The actions of the hosts' table: opening one, and coming back."""

from tokentop.domain.past import Past
from tokentop.runtime.live.choose import AnySession, fleet_of
from tokentop.views.tui import navigation
from tokentop.views.tui.alert_actions import AlertActions
from tokentop.views.tui.state import ViewState


class HostActions(AlertActions):
    """What `enter` and `esc` do where there are several hosts; the app has the rest."""

    def _begin_with_hosts(self) -> None:
        """Show the table first, where there are several hosts."""
        self._fleet = fleet_of(self.session)
        if self._fleet is not None:
            self.view = self.view._replace(name="hosts")
        self._table = self.view

    def _in_hosts(self) -> bool:
        """Whether the table is shown, which has none of a host's views."""
        if self.view.name == "hosts":
            self._notify("enter opens a host; its views are there")
        return self.view.name == "hosts"

    def action_open(self, identity: str | None = None) -> None:
        if self.view.name != "hosts" or self._fleet is None:
            super().action_open(identity)
            return
        key = identity or navigation.selected_host(self.model())
        session = self._fleet.open(key) if key is not None else None
        if session is not None:
            self._table = self.view._replace(host=key or "", notice="")
            self._show_session(session, self._table._replace(name="dashboard", filter=""))

    def action_step_back(self) -> None:
        after, fleet = navigation.back(self.view), self._fleet
        if fleet is None or self.session is fleet or after != self.view._replace(offset=0):
            super().action_step_back()
        else:  # nothing of this host is left to go back from
            fleet.close()
            self._show_session(fleet, self._table)

    def _show_session(self, session: AnySession, view: ViewState) -> None:
        self.session, self._past = session, Past()
        self._forget_page()
        self._take_snapshot()
        self._change_view(view._replace(offset=0))
