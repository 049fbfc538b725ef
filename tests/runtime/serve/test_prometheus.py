"""A real Prometheus scrapes a running service: dashboard and alert rules get data."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

from tests import engine_examples
from tests.cli.command import started
from tests.runtime.serve.greeting import port_of
from tests.servers.service import service
from tokentop.domain.snapshot import Snapshot

pytestmark = pytest.mark.skipif(
    not shutil.which("prometheus"), reason="no Prometheus: apt-get install prometheus"
)
SHARE = files("tokentop").joinpath("share")
LIMIT_S = 90.0
DEAD = "127.0.0.1:9"  # the discard port: nothing listens


def healthy() -> Snapshot:
    """The stack, engines and GPUs with everything known, and a price."""
    both, priced = engine_examples.both(), engine_examples.priced()
    return both._replace(cost=priced.cost, engines=priced.engines, throughput=priced.throughput)


def ailing(number: int) -> Snapshot:
    """The same where each alert has its reason; counters and the queue grow with `number`."""
    s = healthy()
    slow = s.engines[0].latencies._replace(ttft=s.engines[0].latencies.ttft._replace(p95_s=9.0))
    busy = s.engines[0]._replace(latencies=slow, queued=number, preemptions=10 * number)
    dead = s.engines[1]._replace(state="offline")
    full = s.demand.pools[0]._replace(tier="saturated")
    return s._replace(
        data_age_s=60.0,
        engines=(busy, dead),
        gpus=(s.gpus[0]._replace(temperature_c=95.0), s.gpus[1]._replace(state="lost")),
        health=s.health._replace(state="down"),
        demand=s.demand._replace(utilization=0.85, pools=(full,)),
    )


def rented_and_idle() -> Snapshot:
    s = healthy()
    return s._replace(demand=s.demand._replace(utilization=0.05), cloud=s.cloud._replace(active=2))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def prometheus(folder: Path, *targets: str) -> Iterator[httpx.Client]:
    """A Prometheus with the shipped rules that scrapes every second; yields a client of its API."""
    (folder / "rules.yml").write_text(SHARE.joinpath("prometheus-alerts.yml").read_text())
    (folder / "prometheus.yml").write_text(json.dumps({  # YAML is a superset of JSON
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": "tokentop", "static_configs": [{"targets": targets}]}],
    }))  # fmt: skip
    address = f"127.0.0.1:{free_port()}"
    command = ["prometheus", f"--config.file={folder}/prometheus.yml",
               f"--storage.tsdb.path={folder}/data", f"--web.listen-address={address}"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            with httpx.Client(base_url=f"http://{address}/api/v1") as web:
                yield web
        finally:
            process.kill()


def answer(web: httpx.Client, path: str, **parameters: str) -> dict[str, list[dict[str, object]]]:
    """The data of an answer; nothing where the server is not ready."""
    try:
        reply = web.get(path, params=parameters)
    except httpx.TransportError:
        return {}
    if reply.status_code in (404, 503):
        return {}
    assert reply.status_code == 200, reply.text
    return reply.json()["data"]  # type: ignore[no-any-return]


def has_data(web: httpx.Client, expression: str) -> bool:
    return bool(answer(web, "/query", query=expression).get("result"))


def of_dashboard() -> list[str]:
    """Every expression of the dashboard, with its variables filled in as Grafana does."""
    panels = json.loads(SHARE.joinpath("grafana-dashboard.json").read_text())["panels"]
    found = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return [text.replace("$instance", ".*").replace("$__rate_interval", "1m") for text in found]


def of_rules(web: httpx.Client) -> list[str]:
    """Every expression of the rules, as Prometheus itself has read them."""
    groups = answer(web, "/rules").get("groups", [])
    return [rule["query"] for group in groups for rule in group["rules"]]  # type: ignore[attr-defined]


def test_every_expression_has_data(tmp_path: Path) -> None:
    """On a service where all is known, and one where every alert has its reason."""
    pause = threading.Event()  # between two looks at another program
    with service(healthy()) as good, service(ailing(0)) as bad, service(rented_and_idle()) as idle:
        targets = [f"127.0.0.1:{one.port}" for one in (good, bad, idle)]
        with prometheus(tmp_path, *targets, DEAD) as web:
            deadline, number, missing = time.monotonic() + LIMIT_S, 0, "everything"
            while missing and time.monotonic() < deadline:
                number += 1
                bad.publish(ailing(number))
                pause.wait(0.3)
                rules = of_rules(web)
                wanted = (text for text in (*of_dashboard(), *rules) if not has_data(web, text))
                missing = next(wanted, None if len(rules) == 12 else "the rules")
    assert missing is None
    assert len(of_dashboard()) > 20


def test_no_alert_has_a_reason_where_all_is_well(tmp_path: Path) -> None:
    """A scrape of a running `tokentop serve --demo` succeeds, and its calm moment is calm."""
    words = ("serve", "--demo-at", "3", "--port", "0")
    pause = threading.Event()
    with started(*words) as process:
        target = f"127.0.0.1:{port_of(process)}"
        with prometheus(tmp_path, target) as web:
            deadline = time.monotonic() + LIMIT_S
            while not has_data(web, "tokentop_demo == 1") and time.monotonic() < deadline:
                pause.wait(0.3)
            assert has_data(web, f'up{{instance="{target}"}} == 1')
            assert has_data(web, "scrape_samples_scraped > 100")
            alerting = [text for text in of_rules(web) if has_data(web, text)]
    assert alerting == []
