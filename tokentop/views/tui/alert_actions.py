"""What the screen does about alerts: bell, notification, silence."""

import os

from tokentop.domain.alerts.values import Change
from tokentop.views.notification import sequences
from tokentop.views.tui.ledger_actions import LedgerActions


class AlertActions(LedgerActions):
    """What `z` does, and what the terminal is sent; the app has the rest."""

    def _ring(self, change: Change) -> None:
        self.send(sequences(change.actions, change.alert, os.environ))

    def action_silence(self) -> None:
        if not self.session.polls:
            self._notify("Alerts are silenced on the host that follows them")
            return
        count = self.session.silence()
        many = "s" * (count != 1)
        self._notify(f"Silenced for an hour: {count} alert{many}" if count else "No alert fires")
