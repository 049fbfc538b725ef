"""What reading an engine must never do to it, proved by servers that record what they are asked.

Each adapter, and the telling apart, is driven through the real transport for several polls.
"""

import json
from collections.abc import Mapping

import pytest

from tests.payloads import payload
from tests.polls import polled
from tests.servers.behaviours import ok, redirect, routes, status
from tests.servers.loopback import Behaviour, Server
from tokentop.domain.engines.readings import EngineKind, EngineReading
from tokentop.sources.engines.identify import identify
from tokentop.sources.engines.protocol import Hints
from tokentop.sources.engines.registry import KINDS, adapter, spec
from tokentop.transport.http.messages import Request
from tokentop.transport.run_protocol import steps

POLLS = (0.0, 4.0, 8.0, 64.0)


def page(name: str) -> Behaviour:
    return ok(payload(name), content_type="text/plain")


def document(name: str) -> Behaviour:
    return ok(payload(name))


PROPS = json.loads(payload("llamacpp/load/props.json"))
SLOTS = json.loads(payload("llamacpp/load/slots.json"))

SGLANG = {
    "/v1/loads": document("sglang/load/v1_loads.json"),
    "/v1/models": document("sglang/load/v1_models.json"),
    "/metrics": page("sglang/load/metrics.txt"),
    "/health": ok({}),
    "/health_generate": ok({}),
}
LLAMACPP = {
    "/props": ok(PROPS),
    "/slots": ok(SLOTS),
    "/metrics": page("llamacpp/load/metrics.txt"),
    "/health": ok({"status": "ok"}),
}
ROUTED = {
    "data": [
        {"id": "awake", "status": {"value": "loaded"}},
        {"id": "unloaded", "status": {"value": "unloaded"}},
        {"id": "asleep", "status": {"value": "sleeping"}},
    ]
}
ROUTER = {
    "/props": ok({"role": "router"}),
    "/models": ok(ROUTED),
    "/slots?model=awake&autoload=false": ok(SLOTS),
    "/slots": ok(SLOTS),
    "/metrics": page("llamacpp/load/metrics.txt"),
}
LITELLM = {
    "/metrics": redirect("/metrics/", 307),
    "/metrics/": page("litellm/load/metrics.txt"),
    "/health": ok({"healthy_endpoints": []}),
    "/health/liveliness": document("litellm/load/health_liveliness.json"),
}
VLLM = {
    "/metrics": page("vllm/load/metrics.txt"),
    "/version": document("vllm/load/version.json"),
    "/v1/models": document("vllm/load/v1_models.json"),
    "/load": ok({"server_load": 0}),
}
OLLAMA = {
    "/api/ps": document("ollama/load/api_ps.json"),
    "/api/version": document("ollama/load/api_version.json"),
    "/": ok(b"Ollama is running", content_type="text/plain"),
    "/health": ok({}),
}
TRITON = {
    "/v2": document("triton/load/v2.json"),
    "/v2/health/ready": ok(b""),
    "/v2/models/stats": document("triton/load/v2_models_stats.json"),
    "/metrics": page("triton/load/metrics.txt"),
}


def watched(kind: EngineKind, table: Mapping[str, Behaviour]) -> tuple[list[str], EngineReading]:
    """Every path asked while the engine is told apart and polled, and the last reading."""
    with Server(routes(table)) as server:
        base = Request(server.url)
        assert polled(steps(identify(), base), base) == kind
        metrics_port = spec(kind).metrics_port is not None
        engine = adapter(kind, Hints(runners=(server.url,) if metrics_port else ()))
        for now in POLLS:
            reading = polled(steps(engine.poll(now), base), base)
        assert isinstance(reading, EngineReading), reading
        return [asked.path for asked in server.asked], reading


def test_sglang_is_never_asked_for_its_health() -> None:
    """`/health` and `/health_generate` run a token through the model."""
    asked, reading = watched("sglang", SGLANG)
    assert not {"/health", "/health_generate"} & set(asked)
    assert (reading.active, reading.max_slots) == (4, 4)


def test_llamacpps_metrics_are_not_read_beside_its_slots() -> None:
    """Each reading of /metrics restarts the averages that the user's own Prometheus sees."""
    asked, reading = watched("llamacpp", LLAMACPP)
    assert "/metrics" not in asked
    assert reading.active == 4


def test_llamacpps_averages_are_not_rates() -> None:
    """Where only /metrics is left, its per-second gauges are still not believed."""
    asked, reading = watched("llamacpp", {**LLAMACPP, "/slots": status(501)})
    assert asked.count("/metrics") == len(POLLS)
    assert reading.generation_tokens_per_s is None
    assert reading.counters.generation_tokens is not None


def test_a_sleeping_llamacpp_is_not_woken() -> None:
    """`/slots` would load the model again."""
    asked, reading = watched("llamacpp", {**LLAMACPP, "/props": ok({**PROPS, "is_sleeping": True})})
    assert not [path for path in asked if path.startswith(("/slots", "/metrics"))]
    assert reading.health == "asleep"


def test_a_llamacpp_router_loads_nothing() -> None:
    """Slots are asked of loaded models only, and never in a way that would load one."""
    asked, reading = watched("llamacpp", ROUTER)
    about_slots = [path for path in asked if path.startswith("/slots")]
    assert set(about_slots) == {"/slots?model=awake&autoload=false"}
    assert not [path for path in asked if path.startswith("/metrics")]
    assert reading.models == ("awake",)


def test_litellm_is_never_asked_for_its_health() -> None:
    """`/health` makes a real call to every model, which costs money."""
    asked, reading = watched("litellm", LITELLM)
    assert "/health" not in asked
    assert reading.active == 11


def test_a_locked_litellm_is_not_filled_with_refusals() -> None:
    """It counts every refused request in the metrics that others read."""
    asked, reading = watched("litellm", {**LITELLM, "/metrics": status(401)})
    assert "/health" not in asked
    assert asked.count("/metrics") <= 3
    assert reading.health == "auth-required"


def test_vllms_load_is_not_believed() -> None:
    """`/load` says 0 unless tracking was enabled."""
    asked, reading = watched("vllm", VLLM)
    assert not {"/load", "/health"} & set(asked)
    assert reading.active == 4


def test_ollama_is_only_looked_at() -> None:
    """Neither its models nor its emulated endpoints are touched."""
    asked, _ = watched("ollama", OLLAMA)
    assert set(asked) <= {
        "/", "/api/ps", "/api/version", "/info", "/props", "/version",
        "/v1/loads", "/v1/models", "/v2", "/health/liveliness",
    }  # fmt: skip


def test_triton_is_only_looked_at() -> None:
    """Nothing is inferred, loaded or unloaded, and no model is asked by name."""
    asked, reading = watched("triton", TRITON)
    assert {path for path in asked if path.startswith("/v2")} == {
        "/v2", "/v2/health/ready", "/v2/models/stats",
    }  # fmt: skip
    assert reading.queued == 16


TABLES: dict[EngineKind, Mapping[str, Behaviour]] = {
    "vllm": VLLM,
    "sglang": SGLANG,
    "llamacpp": LLAMACPP,
    "ollama": OLLAMA,
    "litellm": LITELLM,
    "triton": TRITON,
}


@pytest.mark.parametrize("kind", TABLES)
def test_little_is_asked(kind: EngineKind) -> None:
    """A poll is a handful of GETs, however the engine answers."""
    asked, _ = watched(kind, TABLES[kind])
    assert len(asked) <= 12 + 4 * len(POLLS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", [401, 404, 500, 503])
def test_no_status_leads_astray(kind: EngineKind, code: int) -> None:
    """However a server refuses, what is harmful stays unasked."""
    with Server(status(code)) as server:
        base = Request(server.url)
        engine = adapter(kind)
        for now in POLLS:
            polled(steps(engine.poll(now), base), base)
        paths = {asked.path for asked in server.asked}
    assert not {"/health", "/health_generate", "/load"} & paths
