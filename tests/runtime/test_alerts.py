"""Alerts in a run: which rules hold, what their actions send, and what of them fails."""

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import pytest

from tokentop.config.load import load
from tokentop.config.schema import AlertConfig, AlertsConfig
from tokentop.domain.alerts.defaults import DEFAULTS
from tokentop.domain.alerts.values import Change
from tokentop.domain.snapshot import Demand, Snapshot
from tokentop.domain.verdict.values import Alert
from tokentop.runtime.alert_actions import AlertActions
from tokentop.runtime.alerts import Alerting, rules
from tokentop.secret import Secret

LONG_S = 20.0
ALERT = Alert("busy", "firing", "it is busy; $(reboot)", "GPU-1", "critical")
BUSY = AlertConfig("busy", "demand.utilization > 0.8", actions=("bell", "command"))
FULL = Snapshot(demand=Demand(utilization=0.9))


class Post(NamedTuple):
    path: str
    headers: Message
    body: bytes


@contextmanager
def receiver(status: int = 200) -> Iterator[tuple[str, SimpleQueue[Post]]]:
    """A web server that answers every POST with `status`; its URL and what it was sent."""
    posts: SimpleQueue[Post] = SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posts.put(Post(self.path, self.headers, body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", posts
        server.shutdown()
        thread.join()


class Carried:
    """Actions under way and what was reported."""

    def __init__(self, **config: Any) -> None:
        self.reported: SimpleQueue[str] = SimpleQueue()
        self.actions = AlertActions(
            AlertsConfig(**config), "gpu-box", self.reported.put, pauses_s=(0.0, 0.0, 0.0)
        )

    def out(self, *actions: Any) -> None:
        self.actions.start(Change(ALERT, actions))

    def failure(self) -> str:
        return self.reported.get(timeout=LONG_S)


def test_a_webhook_is_posted() -> None:
    """In its form, with its type and the token."""
    with receiver() as (url, posts):
        token = Secret("tk_mine")
        Carried(webhook=Secret(f"{url}/hook"), token=token, template="slack").out("webhook")
        post = posts.get(timeout=LONG_S)
    assert post.path == "/hook"
    assert post.headers["Authorization"] == "Bearer tk_mine"
    assert post.headers["Content-Type"] == "application/json"
    assert json.loads(post.body)["text"].startswith("*busy* on gpu-box is firing: it is busy")


def test_a_webhook_is_tried_three_times() -> None:
    with receiver(503) as (url, posts):
        carried = Carried(webhook=Secret(f"{url}/hush"))
        carried.out("webhook")
        sentence = carried.failure()
    assert posts.qsize() == 3
    assert sentence.startswith("Alert busy: its webhook failed: ")
    assert "503" in sentence
    assert "hush" not in sentence


def test_a_command_runs_without_a_shell(tmp_path: Path) -> None:
    """The alert is in its environment; nothing of it is interpreted."""
    out = tmp_path / "out"
    code = "import json, os; open(os.environ['OUT'], 'w').write(json.dumps(dict(os.environ)))"
    os.mkfifo(out)
    carried = Carried(command=("env", f"OUT={out}", sys.executable, "-c", code))
    carried.out("command")
    seen = json.loads(out.read_text())
    assert seen["TOKENTOP_ALERT_TEXT"] == "it is busy; $(reboot)"
    assert seen["TOKENTOP_ALERT_STATE"] == "firing"
    assert seen["TOKENTOP_ALERT_MEMBER"] == "GPU-1"
    assert seen["TOKENTOP_HOST"] == "gpu-box"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("/nowhere/at/all",), "No such file or directory"),
        (("sh", "-c", "echo broken >&2; exit 3"), "it ended with 3: broken"),
    ],
)
def test_a_command_that_fails_is_a_sentence(command: tuple[str, ...], why: str) -> None:
    """And the next one runs all the same."""
    carried = Carried(command=command)
    carried.out("command")
    carried.out("webhook", "command")
    assert carried.failure() == f"Alert busy: its command failed: {why}"
    assert "its webhook failed" in carried.failure()
    assert carried.failure() == f"Alert busy: its command failed: {why}"


def test_a_rule_of_a_default_name_replaces_the_default() -> None:
    """The others stay; `defaults` and `enabled` switch them off."""
    mine = AlertConfig(DEFAULTS[0].name, "llm.queued > 3")
    found = rules(AlertsConfig(rows=(mine,)))
    assert [one.name for one in found] == [one.name for one in DEFAULTS]
    assert found[0].when.text == "llm.queued > 3"
    assert len(rules(AlertsConfig(rows=(mine,), defaults=False))) == 1
    assert rules(AlertsConfig(enabled=False)) == ()


def test_alerts_follow_the_configuration() -> None:
    """What fires goes on where its rule stays, and a new rule holds from then on."""
    config = load({}, {}, None)
    rung: list[Change] = []
    alerting = Alerting(config, "gpu-box")
    alerting.begin(str, rung.append)
    new = AlertsConfig(defaults=False, rows=(BUSY,), command=("true",))
    assert [a.name for a in alerting.follow(FULL, 0.0, new).alerts] == ["busy"]
    assert [change.alert.state for change in rung] == ["firing"]
    also = new._replace(rows=(BUSY, AlertConfig("more", "demand.utilization > 0.5")))
    assert {a.name for a in alerting.follow(FULL, 4.0, also).alerts} == {"busy", "more"}
    assert len(rung) == 1


def test_a_simulated_fire_calls_nobody() -> None:
    config = load({"demo.enabled": True}, {}, None)
    alerting = Alerting(config, "gpu-box")
    rung: list[Change] = []
    alerting.begin(str, rung.append)
    shown = alerting.follow(FULL, 0.0, AlertsConfig(defaults=False, rows=(BUSY,)))
    assert [(alert.name, alert.state) for alert in shown.alerts] == [("busy", "firing")]
    assert rung == []
