"""The alerts and where their actions lead, built from checked values."""

from collections.abc import Mapping

from tokentop.config.build import only
from tokentop.config.credentials import read_token, read_webhook, refuse_cleartext
from tokentop.config.draft import ConfigBuilder
from tokentop.config.schema import AlertConfig, AlertsConfig

_MENDS = {
    "webhook": "set alerts.webhook (or webhook_env, webhook_file), or leave the action out",
    "command": 'set alerts.command = ["program", "argument"], or leave the action out',
}


def alerts(builder: ConfigBuilder, environ: Mapping[str, str]) -> AlertsConfig:
    """Return the alerts in the file's order; problems go to the draft."""
    values = builder.section("alerts")
    webhook, token = read_webhook("alerts", builder, environ), None
    if webhook is not None:
        token = read_token("alerts", builder, environ)
        if token is not None:
            refuse_cleartext("alerts", webhook.reveal(), builder)
    there = {"webhook": webhook is not None, "command": bool(values["command"])}
    seen: dict[str, str] = {}
    rows = tuple(_row(at, seen, there, builder) for at in builder.rows["alert"])
    return AlertsConfig(
        values["enabled"], values["defaults"], values["template"], values["command"],
        webhook, token, rows,
    )  # fmt: skip


def _row(
    at: str, seen: dict[str, str], there: Mapping[str, bool], builder: ConfigBuilder
) -> AlertConfig:
    row = AlertConfig(**builder.section(at))
    for key, value, sample in (("name", row.name, "busy"),
                               ("when", row.when, "demand.utilization > 0.8 for 60s")):  # fmt: skip
        if value is None and builder.is_valid(f"{at}.{key}"):
            builder.add_problem(f"{at}.{key}", f'is missing; write {key} = "{sample}"')
    if row.name is not None:
        only(f"{at}.name", f"the name {row.name}", seen, builder)
    for action in row.actions:
        if not there.get(action, True):
            builder.add_problem(f"{at}.actions", f"{action} leads nowhere; {_MENDS[action]}")
    return row
