"""The keys of alerts: [alerts], and one [[alert]]."""

from functools import cache

from tokentop.config.key import Key
from tokentop.config.schema import ACTIONS, SEVERITIES, TEMPLATES, AlertConfig, AlertsConfig


@cache
def alert_keys() -> dict[str, Key]:
    """The keys of one [[alert]] by their own names."""
    a = AlertConfig()
    rows = (
        Key("name", "text", None, "What to call it; that of a default alert replaces that",
            sample="busy"),
        Key("when", "rule", None, "When it fires", sample="demand.utilization > 0.8 for 60s"),
        Key("until", "rule", a.until, "When it resolves; else when the first no longer holds",
            sample="demand.utilization < 0.7 for 60s"),
        Key("cooldown_s", "number", a.cooldown_s, "Seconds after which it may fire again",
            0.0, 1e6),
        Key("severity", "choice", a.severity, f"One of {', '.join(SEVERITIES)}",
            choices=SEVERITIES),
        Key("text", "text", None, "What to say instead of the rule", sample="The box is busy"),
        Key("actions", "names", a.actions, f"Any of {', '.join(ACTIONS)}; none: an event only",
            choices=ACTIONS, sample=["bell", "webhook"]),
        Key("silenced", "switch", a.silenced, "Show it and take no action"),
    )  # fmt: skip
    return {row.name: row for row in rows}


def alerts_keys() -> tuple[Key, ...]:
    a = AlertsConfig()
    return (
        Key("alerts.enabled", "switch", a.enabled, "Follow alerts"),
        Key("alerts.defaults", "switch", a.defaults, "Those that need no configuration, too"),
        Key("alerts.webhook", "url", None, "Where the action webhook posts",
            sample="https://ntfy.example/gpus"),
        Key("alerts.webhook_env", "variable", None,
            "Environment variable holding that URL, where it is a secret (Slack)"),
        Key("alerts.webhook_file", "file", None, "File holding it"),
        Key("alerts.template", "choice", a.template, f"Its form: {', '.join(TEMPLATES)}",
            choices=TEMPLATES),
        Key("alerts.token_env", "variable", None, "Environment variable holding its bearer token"),
        Key("alerts.token_file", "file", None, "File holding it"),
        Key("alerts.command", "words", a.command,
            "Program and arguments of the action command; no shell, the alert in TOKENTOP_ALERT_*",
            sample=["notify-send", "tokentop"]),
    )  # fmt: skip
