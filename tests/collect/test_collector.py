"""The collector: what is asked, what an answer does, and that no answer does harm."""

import json
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.anyjson import documents, encode, leaves
from tokentop.collect.collector import Collector, rfc3339
from tokentop.config.schema import Config, ServiceConfig, TlsConfig
from tokentop.domain.readings import DeviceReading, Failure, GpusReading
from tokentop.domain.snapshot import Service
from tokentop.domain.text import clean
from tokentop.secret import Secret
from tokentop.sources.aither.endpoints import ENDPOINTS, SERVICES, default_url
from tokentop.transport.http.messages import Reply

WALL = 1_763_726_671.25
QUEUE = "genesis/llm_queue"
REFUSED = Failure("refused", "nobody listens")
STACK = tuple(ServiceConfig(name, default_url(name, False)) for name in SERVICES)


def collector(**changes: Any) -> Collector:
    return Collector(Config(services=STACK)._replace(**changes), "box", False)


def reply(document: object, latency_s: float = 0.02) -> Reply:
    return Reply(200, json.dumps(document).encode(), "application/json", latency_s=latency_s)


def service(subject: Collector, name: str, now: float) -> Service:
    return next(s for s in subject.snapshot(now, WALL).services if s.name == name)


def test_the_default_plan_asks_all_fifteen_rows() -> None:
    """At the default addresses, in the order of the table, each with the same limits."""
    sources = collector(timeout_s=1.5, max_bytes=99).sources
    assert [source.key for source in sources] == [row.key for row in ENDPOINTS]
    assert sources[0].request.url == "http://127.0.0.1:8001/llm/queue"
    assert {(s.request.timeout_s, s.request.max_bytes) for s in sources} == {(1.5, 99)}


def test_the_plan_follows_the_configuration() -> None:
    """URL, path and token are the service's own; TLS is everyone's; a disabled one is not asked."""
    mint = ServiceConfig(
        "mint", "https://m.example/base/", token=Secret("t"), paths=(("mint_pool", "v2/pool"),)
    )
    acta = ServiceConfig("acta", "http://a", enabled=False)
    sources = collector(services=(mint, acta), tls=TlsConfig("/ca.pem", False)).sources
    assert [(source.key, source.request.url) for source in sources] == [
        ("mint/mint_pool", "https://m.example/base/v2/pool"),
        ("mint/mint_rates", "https://m.example/base/mint/rates"),
    ]
    request = sources[0].request
    assert (request.token, request.ca_bundle, request.verify) == (Secret("t"), "/ca.pem", False)


def test_a_url_is_shown_without_its_secrets() -> None:
    """User name and password stay in the request."""
    subject = collector(services=(ServiceConfig("acta", "http://user:pass@a:1"),))
    assert service(subject, "acta", 0.0).url == "http://a:1"
    assert "pass" not in repr(subject.snapshot(0.0, WALL))


def test_an_answer_reaches_the_snapshot() -> None:
    """From bytes to figures, latency and age."""
    subject = collector()
    subject.record(QUEUE, reply({"queued": 3, "processing": 2, "max_slots": 8}, 0.04), 10.0)
    snapshot = subject.snapshot(12.0, WALL)
    assert (snapshot.llm.queued, snapshot.llm.free, snapshot.llm.age_s) == (3, 6, 2.0)
    assert (snapshot.at, snapshot.host) == ("2025-11-21T12:04:31.250Z", "box")
    genesis = service(subject, "genesis", 12.0)
    assert (genesis.state, genesis.latency_ms, genesis.age_s) == ("online", 40.0, 2.0)


def test_rubbish_is_bad_data_and_leaves_the_last_good_figures() -> None:
    """The service says so; the figures stay, stale; the breaker stays closed."""
    subject = collector()
    subject.record(QUEUE, reply({"queued": 3}), 10.0)
    for now in range(11, 20):
        subject.record(QUEUE, Reply(200, b"<html>"), float(now))
        assert subject.due(QUEUE, float(now))
    snapshot = subject.snapshot(20.0, WALL)
    assert (snapshot.llm.queued, snapshot.llm.stale) == (3, True)
    genesis = service(subject, "genesis", 20.0)
    assert genesis.state == "bad-data"
    assert genesis.error == "the answer is HTML, not JSON (llm_queue)"


def test_three_failures_back_off_an_endpoint_and_one_probe_brings_it_back() -> None:
    """Only that endpoint; the service backs off when all of its endpoints do."""
    subject = collector()
    for now in (0.0, 4.0, 8.0):
        assert subject.due(QUEUE, now)
        subject.record(QUEUE, REFUSED, now)
    assert not subject.due(QUEUE, 12.0)
    assert subject.due("genesis/agents", 12.0)
    assert service(subject, "genesis", 12.0).state == "offline"
    for now in (0.0, 4.0, 8.0):
        subject.record("genesis/agents", REFUSED, now)
        subject.record("genesis/llm_slots", REFUSED, now)
    assert service(subject, "genesis", 12.0).state == "backing-off"
    assert subject.due(QUEUE, 23.0)
    assert not subject.due(QUEUE, 23.1)
    subject.record(QUEUE, reply({"queued": 0}), 23.2)
    assert subject.due(QUEUE, 24.0)
    assert service(subject, "genesis", 24.0).state == "online"


def test_a_missing_path_opens_no_breaker() -> None:
    """4xx says that the server is there, at an address that the user named."""
    subject = collector(services=(ServiceConfig("genesis", "http://g", configured=True),))
    for now in range(9):
        subject.record(QUEUE, Failure("http", "no such path", True, 404), float(now))
    assert subject.due(QUEUE, 9.0)


def test_the_drivers_answers_are_held_like_any_other() -> None:
    """A driver that stops answering leaves its GPUs stale."""
    subject = collector()
    reading = GpusReading((DeviceReading(0, "GPU-a", utilization=0.5),), driver_version="580")
    subject.record_gpus(reading, 10.0, 0.001)
    subject.record_gpus(Failure("timeout", "the driver does not answer"), 14.0, None)
    (gpu,) = subject.snapshot(15.0, WALL).gpus
    assert (gpu.state, gpu.age_s, gpu.utilization) == ("stale", 5.0, 0.5)
    assert service(subject, "nvml", 15.0).error == "the driver does not answer"


def test_how_old_a_good_answer_may_be_follows_the_interval() -> None:
    """Three intervals: a longer interval does not make everything stale."""
    subject = collector(interval_s=4.0, timeout_s=2.5)
    subject.record(QUEUE, reply({"queued": 1}), 0.0)
    assert not subject.snapshot(12.0, WALL).llm.stale
    assert subject.snapshot(12.1, WALL).llm.stale
    subject.interval_s = 30.0
    snapshot = subject.snapshot(12.1, WALL)
    assert (snapshot.llm.stale, snapshot.interval_s) == (False, 30.0)


def test_the_scale_down_countdown_runs_from_one_snapshot_to_the_next() -> None:
    """It starts when demand drops, stops when demand returns, and starts anew."""
    subject = collector(interval_s=1000.0)
    instances = reply({"instances": [{"session_id": "i", "status": "running"}]})

    def left(queued: int, now: float) -> float | None:
        subject.record(QUEUE, reply({"queued": queued, "max_slots": 10}), now)
        subject.record("compute/cloud_instances", instances, now)
        return subject.snapshot(now, WALL).capacity.scale_down_in_s

    assert left(queued=9, now=0.0) is None
    assert left(queued=0, now=4.0) == 600.0
    assert left(queued=0, now=104.0) == 500.0
    assert left(queued=9, now=108.0) is None
    assert left(queued=0, now=112.0) == 600.0


@pytest.mark.parametrize(
    ("changes", "demo", "priced"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"services": (STACK[0]._replace(configured=True),)}, False, True),
        ({"origins": (("pricing.base_cost_tokens", "file x:3"),)}, False, True),
        ({"origins": (("pricing.base_cost_tokens", "default"),)}, False, False),
    ],
)
def test_costs_mean_something_where_the_stack_or_a_price_is_configured(
    changes: dict[str, Any], demo: bool, priced: bool
) -> None:
    """A laptop with one GPU is not told what a request costs in somebody's tokens."""
    subject = Collector(Config(services=STACK)._replace(**changes), "box", demo)
    assert (subject.snapshot(0.0, WALL).pricing.base_cost_tokens is not None) == priced


@pytest.mark.parametrize(
    ("wall", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1.9996, "1970-01-01T00:00:02.000Z"),
        (WALL, "2025-11-21T12:04:31.250Z"),
    ],
)
def test_timestamps_are_rfc_3339_in_utc(wall: float, text: str) -> None:
    """Rounded to the millisecond, carrying over."""
    assert rfc3339(wall) == text


bodies = st.binary(max_size=40) | st.builds(encode, documents)
polls = st.lists(st.tuples(st.sampled_from([row.key for row in ENDPOINTS]), bodies), max_size=8)


@given(polls, polls)
def test_no_answers_break_the_snapshot(first: Any, second: Any) -> None:
    """Whatever services say, in whatever order: a snapshot of finite numbers and safe text."""
    subject = collector()
    for now, poll in ((0.0, first), (4.0, second)):
        for key, body in poll:
            subject.record(key, Reply(200, body), now)
        snapshot = subject.snapshot(now, WALL)
        for leaf in leaves(snapshot):
            assert not isinstance(leaf, float) or math.isfinite(leaf)
            assert not isinstance(leaf, str) or leaf == clean(leaf, 10_000)
        json.dumps(snapshot, allow_nan=False)


def test_the_collector_is_light() -> None:
    """The one-line view imports it, and pays for everything it imports."""
    heavy = "textual rich asyncio pydantic dataclasses inspect logging pathlib subprocess ssl"
    program = (
        f"import sys, tokentop.collect.collector; print(*set({heavy.split()!r}) & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("", "")
