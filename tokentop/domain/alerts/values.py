"""An alert as it is configured, and what is to be done when it changes."""

from typing import NamedTuple

from tokentop.domain.alerts.rule import Rule
from tokentop.domain.verdict.values import Action, Alert, Severity


class AlertRule(NamedTuple):
    """One configured alert: fires when `when` holds, resolves when `until` does.

    Without `until` it resolves when `when` no longer holds. It does not fire again within
    `cooldown_s` seconds of resolving. Where `silenced` no action is taken. `text` replaces the
    sentence that is made of the rule.
    """

    name: str
    when: Rule
    until: Rule | None = None
    cooldown_s: float = 300.0
    severity: Severity = "warning"
    text: str = ""
    actions: tuple[Action, ...] = ()
    silenced: bool = False


class Change(NamedTuple):
    """An alert that has begun to fire or was resolved, and what is to be done about it."""

    alert: Alert
    actions: tuple[Action, ...] = ()
