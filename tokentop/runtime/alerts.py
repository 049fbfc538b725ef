"""The alerts of a run: the configured rules and the default ones, followed and acted on."""

from collections.abc import Callable

from tokentop.config.schema import AlertConfig, AlertsConfig, Config
from tokentop.domain.alerts.book import AlertBook
from tokentop.domain.alerts.defaults import DEFAULTS
from tokentop.domain.alerts.rule import parse
from tokentop.domain.alerts.values import AlertRule, Change
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.verdict.values import Action, Severity
from tokentop.light_typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from tokentop.runtime.alert_actions import AlertActions

SILENCE_S = 3600.0


class Alerting:
    """Follows the alerts of the configuration in force; acts on nothing before `begin`."""

    def __init__(self, config: Config, host: str) -> None:
        self._host = host
        self._config = config.alerts
        self._book = AlertBook(rules(config.alerts))
        self._acts = not config.demo.enabled  # a simulated fire calls no firemen
        self._report: Callable[[str], object] | None = None
        self._ring: Callable[[Change], object] = id
        self._actions: AlertActions | None = None

    def begin(self, report: Callable[[str], object], ring: Callable[[Change], object] = id) -> None:
        """Carry out actions from now on.

        `ring` gets each change with the actions bell and notify; `report` a sentence about an
        action that fails, on another thread.
        """
        self._report, self._ring = report, ring

    def follow(self, snapshot: Snapshot, now: float, config: AlertsConfig) -> Snapshot:
        """The snapshot with its alerts, as of `now` (monotonic seconds); `config` may be new."""
        if config != self._config:
            self._config, self._actions = config, None
            self._book.configure(rules(config))
        for change in self._book.update(snapshot, now):
            self._act(change)
        return self.shown(snapshot)

    def shown(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the alerts as they stood when they were followed last."""
        return snapshot._replace(alerts=self._book.alerts())

    def silence(self, now: float) -> int:
        """Take no action for SILENCE_S for what fires now; how many alerts that are."""
        return self._book.silence(now + SILENCE_S)

    def _act(self, change: Change) -> None:
        if self._report is None or not self._acts or not change.actions:
            return
        if {"bell", "notify"} & set(change.actions):
            self._ring(change)
        if self._actions is None:
            from tokentop.runtime.alert_actions import AlertActions

            self._actions = AlertActions(self._config, self._host, self._report)
        self._actions.start(change)


def rules(config: AlertsConfig) -> tuple[AlertRule, ...]:
    """The configured alerts, and the default ones whose name none of them has."""
    if not config.enabled:
        return ()
    named = {row.name for row in config.rows}
    default = [one for one in DEFAULTS if config.defaults and one.name not in named]
    return (*map(_rule, config.rows), *default)


def _rule(row: AlertConfig) -> AlertRule:
    return AlertRule(
        row.name,
        parse(row.when),
        None if row.until is None else parse(row.until),
        row.cooldown_s,
        cast("Severity", row.severity),
        row.text or "",
        cast("tuple[Action, ...]", row.actions),
        row.silenced,
    )
