"""An alert as it is configured, and as it stands."""

from typing import Literal, NamedTuple

from tokentop.domain.alerts.rule import Rule

State = Literal["pending", "firing", "silenced", "resolved"]
Severity = Literal["info", "warning", "critical"]
Action = Literal["bell", "notify", "webhook", "command"]


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


class Alert(NamedTuple):
    """One alert about one member, or about the whole (`member` is None).

    `since` is when the state began, RFC 3339 UTC.
    """

    name: str
    state: State
    text: str
    member: str | None = None
    severity: Severity = "warning"
    since: str = ""


class Change(NamedTuple):
    """An alert that has begun to fire or was resolved, and what is to be done about it."""

    alert: Alert
    actions: tuple[Action, ...] = ()
