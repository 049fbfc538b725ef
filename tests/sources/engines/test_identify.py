"""Engines told apart by their answers; nothing else is taken for one."""

import json

import pytest

from tests.payloads import payload
from tests.sources.engines.conversations import (
    AUTH_REQUIRED,
    LOADING,
    NOT_FOUND,
    WEB_PAGE,
    Table,
    Talk,
    captured,
    obj,
    text,
)
from tokentop.domain.engines.readings import EngineKind
from tokentop.domain.readings import Failure
from tokentop.sources.engines.identify import identify
from tokentop.sources.engines.protocol import Answer

VERSION = obj({"version": "1.2.3"})
VLLM = {
    "/version": captured("vllm/load/version.json"),
    "/v1/models": captured("vllm/load/v1_models.json"),
    "/metrics": captured("vllm/load/metrics.txt"),
}
SGLANG = {
    "/v1/models": captured("sglang/load/v1_models.json"),
    "/v1/loads": captured("sglang/load/v1_loads.json"),
    "/metrics": captured("sglang/load/metrics.txt"),
}
LLAMACPP = {
    "/props": captured("llamacpp/load/props.json"),
    "/v1/models": captured("llamacpp/load/v1_models.json"),
    "/slots": captured("llamacpp/load/slots.json"),
    "/metrics": captured("llamacpp/load/metrics.txt"),
}
OLLAMA = {
    "/api/version": captured("ollama/load/api_version.json"),
    "/v1/models": captured("ollama/load/v1_models.json"),
    "/": Answer(b"Ollama is running", "text/plain"),
}
LITELLM = {
    "/v1/models": AUTH_REQUIRED,
    "/metrics": AUTH_REQUIRED,
    "/health/liveliness": captured("litellm/load/health_liveliness.json"),
    "/": WEB_PAGE,
}
TGI = {
    "/info": obj({"model_id": "m", "version": "3.3.7", "max_concurrent_requests": 128}),
    "/v1/models": obj({"object": "list", "data": [{"id": "m", "owned_by": "m"}]}),
    "/metrics": text("tgi_queue_size 0"),
}
ROUTER = {**VLLM, "/metrics": text('vllm:num_requests_running{server="http://x:1"} 1')}
V2 = json.loads(payload("triton/load/v2.json"))
TRITON = {"/v2": captured("triton/load/v2.json"), "/v2/health/ready": Answer(b"")}
SOMEBODY = obj({"object": "list", "data": [{"id": "m", "owned_by": "somebody"}]})

ENGINES: dict[str, tuple[EngineKind, Table]] = {
    "vllm": ("vllm", VLLM),
    "vllm blind": ("vllm", {**VLLM, "/metrics": text("python_info 1")}),
    "vllm with a key": ("vllm", {**VLLM, "/v1/models": AUTH_REQUIRED}),
    "vllm's router": ("vllm", ROUTER),
    "sglang": ("sglang", SGLANG),
    "sglang without metrics": ("sglang", {**SGLANG, "/metrics": NOT_FOUND}),
    "sglang as ollama": ("sglang", {**SGLANG, "/api/tags": obj({"models": []})}),
    "sglang, older": ("sglang", {**SGLANG, "/v1/loads": NOT_FOUND}),
    "llama.cpp": ("llamacpp", LLAMACPP),
    "llama.cpp's router": ("llamacpp", {"/props": obj({"role": "router"})}),
    "llama.cpp by its header": ("llamacpp", {"/v1/models": obj({"data": []}, "llama.cpp")}),
    "ollama": ("ollama", OLLAMA),
    "litellm": ("litellm", LITELLM),
    "litellm, open": ("litellm", {**LITELLM, "/v1/models": SOMEBODY}),
    "tgi": ("tgi", TGI),
    "tgi, older": ("tgi", {**TGI, "/v1/models": NOT_FOUND}),
    "triton": ("triton", TRITON),
    "triton by another name": ("triton", {"/v2": obj({**V2, "name": "gpu-7"})}),
    "another": ("openai", {"/v1/models": SOMEBODY}),
    "another, nothing loaded": ("openai", {"/v1/models": obj({"object": "list", "data": []})}),
}


@pytest.mark.parametrize("name", ENGINES)
def test_engines_are_known_by_their_answers(name: str) -> None:
    """Each kind, in the states in which its users run it."""
    kind, table = ENGINES[name]
    assert Talk(table).hold(identify()) == kind


def test_an_older_triton_answers_400_to_what_it_does_not_have() -> None:
    """Its own paths are asked all the same."""
    assert Talk(TRITON, Failure("http", "400", True, 400)).hold(identify()) == "triton"


def test_sglang_with_a_key() -> None:
    """All is locked but /metrics."""
    table = {"/metrics": SGLANG["/metrics"]}
    assert Talk(table, AUTH_REQUIRED).hold(identify()) == "sglang"


def test_llamacpp_with_a_key() -> None:
    """All is locked but its page and its own /v1/health, which carry its name."""
    table = {"/v1/health": obj({"status": "ok"}, "llama.cpp")}
    assert Talk(table, AUTH_REQUIRED).hold(identify()) == "llamacpp"


METRICS_ONLY = Answer(b"# TYPE x gauge\ngpu_utilization_Percentage 3\n", "text/plain")
OTHERS: dict[str, tuple[Table, Answer | Failure]] = {
    "web application": ({}, WEB_PAGE),
    "nvitop's exporter": ({}, METRICS_ONLY),
    "prometheus": ({"/version": VERSION, "/metrics": text("prometheus_ready 1")}, NOT_FOUND),
    "node exporter": ({"/metrics": text("node_load1 1"), "/": WEB_PAGE}, NOT_FOUND),
    "triton's metrics": ({"/metrics": captured("triton/load/metrics.txt")}, NOT_FOUND),
    "kserve": ({"/v2": obj({"name": "mlserver", "version": "1", "extensions": []})}, NOT_FOUND),
    "container registry": ({"/v2": obj({})}, NOT_FOUND),
    "echoing api": ({}, obj({"version": "1", "ok": True})),
    "empty lists": ({}, obj([])),
    "always true": ({}, obj({"data": True, "loads": True})),
    "embeddings": ({"/info": obj({"model_id": "m", "version": "1", "model_type": {}})}, NOT_FOUND),
    "two engines' series": (
        {"/version": VERSION, "/metrics": text("vllm:x 1", "sglang:y 1")},
        NOT_FOUND,
    ),
    "names-only": ({}, Failure("timeout", "no answer")),
    "auth-required": ({}, AUTH_REQUIRED),
    "starting": ({}, LOADING),
    "bytes": ({}, Answer(b"\x00\xff\xfe")),
}


@pytest.mark.parametrize("name", OTHERS)
def test_nothing_else_is_an_engine(name: str) -> None:
    """Whatever else listens on the usual ports is not listed."""
    table, otherwise = OTHERS[name]
    assert Talk(table, otherwise).hold(identify()) is None


@pytest.mark.parametrize("answer", [AUTH_REQUIRED, LOADING])
def test_a_command_line_decides_where_nothing_is_told(answer: Failure) -> None:
    """A locked or loading server is what its process says it is."""
    assert Talk({}, answer).hold(identify("vllm")) == "vllm"


@pytest.mark.parametrize("answer", [WEB_PAGE, NOT_FOUND, METRICS_ONLY, Failure("refused", "no")])
def test_a_command_line_decides_nothing_else(answer: Answer | Failure) -> None:
    """A guess is no evidence against the answers."""
    assert Talk({}, answer).hold(identify("vllm")) is None


FORBIDDEN = ("/health", "/health_generate", "/slots", "/load", "/api/show", "/api/generate")
EVERYBODY = {**{name: (table, NOT_FOUND) for name, (_, table) in ENGINES.items()}, **OTHERS}


@pytest.mark.parametrize("name", EVERYBODY)
def test_only_harmless_questions(name: str) -> None:
    """Nothing that generates, loads, wakes or pays is asked of anybody, and little in all."""
    table, otherwise = EVERYBODY[name]
    talk = Talk(table, otherwise)
    talk.hold(identify())
    assert not [p for p in talk.asked if p.partition("?")[0] in FORBIDDEN]
    assert len(talk.asked) <= 12


@pytest.mark.parametrize("name", ["llama.cpp", "llama.cpp's router", "ollama"])
def test_metrics_that_change_by_reading_are_left_alone(name: str) -> None:
    """llama.cpp's averages restart at every reading."""
    talk = Talk(ENGINES[name][1])
    talk.hold(identify())
    assert "/metrics" not in talk.asked


def test_tensorrt_llms_statistics_are_not_drained() -> None:
    """Its /metrics empties a queue that somebody else reads."""
    table = {
        "/version": VERSION,
        "/v1/models": obj({"object": "list", "data": [{"id": "m", "owned_by": "tensorrt_llm"}]}),
    }
    talk = Talk(table)
    assert talk.hold(identify()) == "openai"
    assert "/metrics" not in talk.asked
