"""What an alert sets going beyond the screen: a webhook, a command; on a thread of its own."""

import threading
from collections.abc import Callable
from queue import Full, Queue

from tokentop import fault
from tokentop.config.schema import AlertsConfig
from tokentop.domain.alerts.message import Template, message
from tokentop.domain.alerts.values import Change
from tokentop.domain.readings import Failure
from tokentop.domain.text import clean
from tokentop.domain.verdict.values import Alert
from tokentop.light_typing import cast
from tokentop.transport.http.client_blocking import Request, fetch
from tokentop.transport.run_command import run_command

MOST_WAITING = 64
PAUSES_S = (0.0, 2.0, 10.0)  # before each try of a webhook
TIMEOUT_S = 10.0
_ANSWER = 64 * 1024


class AlertActions:
    """Carries out the actions of changes; `report` gets a sentence about each that fails.

    `report` is called on the thread. `pauses_s` are the seconds before each try of a webhook.
    """

    def __init__(
        self,
        config: AlertsConfig,
        host: str,
        report: Callable[[str], object],
        pauses_s: tuple[float, ...] = PAUSES_S,
    ) -> None:
        self.config = config
        self._host = host
        self._report = report
        self._pauses_s = pauses_s
        self._waiting: Queue[Change] = Queue(MOST_WAITING)
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, change: Change) -> None:
        """Begin the actions of a change, and return at once."""
        if not {"webhook", "command"} & set(change.actions):
            return
        try:
            self._waiting.put_nowait(change)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)
                self._thread.start()
        except Full:
            self._report(f"Alert {change.alert.name}: too many actions wait; this one is left out.")
        except RuntimeError as error:
            self._thread = None
            self._report(f"Alert {change.alert.name}: {fault.exhausted(error) or error}")

    def _work(self) -> None:
        while True:
            change = self._waiting.get()
            for action, carry_out in (("webhook", self._post), ("command", self._run)):
                if action in change.actions:
                    self._guarded(action, carry_out, change.alert)

    def _guarded(self, action: str, carry_out: Callable[[Alert], str | None], alert: Alert) -> None:
        try:
            failed = carry_out(alert)
        except Exception as error:  # noqa: BLE001  # one action that fails stops no other
            failed = fault.exhausted(error) or fault.sentence(error)
        if failed is not None:
            self._report(clean(f"Alert {alert.name}: its {action} failed: {failed}", 300))

    def _post(self, alert: Alert) -> str | None:
        """Post it, again after a pause where that fails; returns why it did in the end."""
        if self.config.webhook is None:
            return "there is none in the configuration"
        body, headers = message(cast("Template", self.config.template), alert, self._host)
        request = Request(
            self.config.webhook.reveal(),
            timeout_s=TIMEOUT_S,
            max_bytes=_ANSWER,
            token=self.config.token,
            max_hops=0,
            post=body,
            headers=headers,
        )
        failure = None
        for pause_s in self._pauses_s:
            self._stopped.wait(pause_s)
            answer = fetch(request)
            if not isinstance(answer, Failure):
                return None
            failure = answer.text
        return failure

    def _run(self, alert: Alert) -> str | None:
        variables = {f"TOKENTOP_ALERT_{name.upper()}": value or ""
                     for name, value in alert._asdict().items() if name != "actions"}  # fmt: skip
        return run_command(
            self.config.command, {**variables, "TOKENTOP_HOST": self._host}, TIMEOUT_S
        )
