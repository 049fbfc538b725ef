"""An alert as the body of a webhook: plain JSON, Slack's form, ntfy's form."""

import json

from tokentop.domain.verdict.values import Alert, Severity
from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple

Template = Literal["json", "slack", "ntfy"]
_PRIORITIES: dict[Severity, str] = {"info": "3", "warning": "4", "critical": "5"}
_JSON = ("Content-Type", "application/json")


class Message(NamedTuple):
    """A body with its headers, each ASCII."""

    body: bytes
    headers: tuple[tuple[str, str], ...]


def message(template: Template, alert: Alert, host: str) -> Message:
    """What a webhook of this form is sent."""
    if template == "ntfy":
        return _ntfy(alert, host)
    if template == "slack":
        text = f"*{_escaped(alert.name)}* on {_escaped(host)} is {alert.state}: "
        return Message(json.dumps({"text": text + _escaped(alert.text)}).encode(), (_JSON,))
    return Message(json.dumps({**alert._asdict(), "host": host}).encode(), (_JSON,))


def _ntfy(alert: Alert, host: str) -> Message:
    """https://docs.ntfy.sh/publish: the text as the body, the rest in headers."""
    resolved = alert.state == "resolved"
    title = f"{host}: {alert.name} is {alert.state}".encode("ascii", "replace").decode()
    headers = (
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Title", title),
        ("Priority", "2" if resolved else _PRIORITIES[alert.severity]),
        ("Tags", "white_check_mark" if resolved else "warning"),
    )
    return Message(alert.text.encode(), headers)


def _escaped(text: str) -> str:
    """Slack's three control characters, so that remote text makes no link and calls nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
