"""Webhooks' bodies as Slack, ntfy and a plain receiver document them."""

import json

from tokentop.domain.alerts.message import message
from tokentop.domain.verdict.values import Alert

ALERT = Alert(
    "busy", "firing", "<@U1> & co: 92 % → full", "GPU-1", "critical", "2026-11-21T12:00Z", ("bell",)
)


def test_plain_json_has_every_field_and_the_host() -> None:
    body, headers = message("json", ALERT, "gpu-box")
    assert json.loads(body) == {
        "name": "busy", "state": "firing", "text": ALERT.text, "member": "GPU-1",
        "severity": "critical", "since": "2026-11-21T12:00Z", "actions": ["bell"],
        "host": "gpu-box",
    }  # fmt: skip
    assert dict(headers) == {"Content-Type": "application/json"}


def test_slack() -> None:
    """One `text`, in which remote text calls nobody and makes no link."""
    body, _ = message("slack", ALERT, "gpu-box")
    text = "*busy* on gpu-box is firing: &lt;@U1&gt; &amp; co: 92 % → full"
    assert json.loads(body) == {"text": text}


def test_ntfy() -> None:
    """The text as the body; title, priority and tag as ASCII headers."""
    body, headers = message("ntfy", ALERT._replace(name="böse"), "gpu-box")
    assert body.decode() == ALERT.text
    assert dict(headers) == {
        "Content-Type": "text/plain; charset=utf-8",
        "Title": "gpu-box: b?se is firing",
        "Priority": "5",
        "Tags": "warning",
    }
    _, headers = message("ntfy", ALERT._replace(state="resolved"), "gpu-box")
    assert (dict(headers)["Priority"], dict(headers)["Tags"]) == ("2", "white_check_mark")
