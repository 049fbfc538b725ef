"""Triton: readiness, metrics on a port of their own, and what its backends export there."""

import json

import pytest

from tests.payloads import payload
from tests.sources.engines.conversations import (
    AUTH_REQUIRED,
    LOADING,
    NOT_FOUND,
    WEB_PAGE,
    Talk,
    captured,
    read,
    text,
)
from tokentop.domain.readings import Failure
from tokentop.sources.engines.protocol import Answer, Hints
from tokentop.sources.engines.triton import Triton

METRICS = ":+2/metrics"
UNREADY = Failure("http", "answered 400", True, 400)
REFUSED = Failure("refused", "nothing listens there")
REAL = {
    "/v2/health/ready": Answer(b""),
    METRICS: captured("triton/load/metrics.txt"),
    "/v2": captured("triton/load/v2.json"),
    "/v2/models/stats": captured("triton/load/v2_models_stats.json"),
}
COUNTED = 'nv_inference_pending_request_count{model="m",version="1"} 0'


def test_a_captured_server_under_load() -> None:
    """Requests and Triton's own queue; what runs in a Python backend no answer has."""
    reading = read(Triton().poll(0.0), REAL)
    assert (reading.version, reading.models) == ("2.51.0", ("tiny",))
    assert (reading.active, reading.queued, reading.max_slots) == (None, 16, None)
    assert (reading.counters.requests, reading.counters.error) == (83, 0)
    assert (reading.counters.generation_tokens, reading.kv_cache) == (None, None)
    assert (reading.health, reading.router) == ("online", False)


def test_a_vllm_backend_tells_tokens_and_load() -> None:
    """Its series carry model and version; requests wait in the model, not before it."""
    own = '{model="chat",version="1"}'
    lines = [
        f"nv_inference_pending_request_count{own} 0",
        f"nv_inference_request_success{own} 7",
        f"vllm:num_requests_running{own} 5",
        f"vllm:num_requests_waiting{own} 3",
        f"vllm:gpu_cache_usage_perc{own} 0.25",
        f"vllm:prompt_tokens_total{own} 10",
        f"vllm:generation_tokens_total{own} 16",
        f"vllm:num_preemptions_total{own} 2",
        'vllm:time_to_first_token_seconds_bucket{model="chat",version="1",le="+Inf"} 4',
        'vllm:time_per_output_token_seconds_bucket{model="chat",version="1",le="+Inf"} 9',
    ]
    reading = read(Triton().poll(0.0), {**REAL, METRICS: text(*lines)})
    assert (reading.models, reading.active, reading.queued) == (("chat",), 5, 3)
    assert (reading.kv_cache, reading.kv_estimated) == (0.25, False)
    counters = reading.counters
    assert (counters.prompt_tokens, counters.generation_tokens) == (10, 16)
    assert (counters.requests, counters.preemptions) == (7, 2)
    (ttft,), (itl,) = reading.latencies.ttft, reading.latencies.itl
    assert (ttft.buckets[-1][1], itl.buckets[-1][1]) == (4, 9)


def batcher(model: str, **values: int) -> list[str]:
    name = "nv_trt_llm_request_metrics"
    return [f'{name}{{model="{model}",request_type="{of}",version="1"}} {value}'
            for of, value in values.items()]  # fmt: skip


def test_tensorrt_llm_tells_its_slots() -> None:
    """`scheduled` runs, `max` are the slots; `active` is ambiguous and not added to them."""
    lines = batcher("tensorrt_llm", active=9, scheduled=6, waiting=2, max=512, context=1)
    kv = 'nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="%s",model="m",version="1"} %s'
    lines += [kv % ("fraction", 0.4875), kv % ("used", 1), kv % ("max", 6239)]
    reading = read(Triton().poll(0.0), {**REAL, METRICS: text(*lines, COUNTED)})
    assert (reading.active, reading.queued, reading.kv_cache) == (6, 2, 0.4875)
    assert (reading.max_slots, reading.slots_source) == (512, "reported")


def test_a_pipelines_request_is_counted_once() -> None:
    """Each of its models counts it; the one that generates stands for them all."""
    models = ("preprocessing", "tensorrt_llm", "postprocessing", "ensemble")
    lines = [f'nv_inference_request_success{{model="{m}",version="1"}} 40' for m in models]
    lines += [f'nv_inference_pending_request_count{{model="{m}",version="1"}} 0' for m in models]
    failure = 'nv_inference_request_failure{{model="{}",reason="{}",version="1"}} {}'
    lines += [failure.format(m, "REJECTED", 3) for m in models]
    lines += [failure.format(m, "CANCELED", 2) for m in models]
    lines += [failure.format(m, "BACKEND", 1) for m in models]
    reading = read(Triton().poll(0.0), {**REAL, METRICS: text(*lines)})
    counters = reading.counters
    assert (counters.requests, counters.rejections) == (40 + 2 + 1, 3)
    assert (counters.abort, counters.error) == (2, 1)
    assert reading.models == ("tensorrt_llm",)


def test_an_older_server_does_not_say_why_requests_failed() -> None:
    """Before reasons every failure is an error."""
    lines = 'nv_inference_request_failure{model="m",version="1"} 5', COUNTED
    counters = read(Triton().poll(0.0), {**REAL, METRICS: text(*lines)}).counters
    assert (counters.error, counters.rejections, counters.abort) == (5, None, None)


def test_names_are_asked_seldom() -> None:
    """Readiness and metrics are asked at each poll; the rest once a minute."""
    engine, talk = Triton(), Talk(REAL)
    for now in (0.0, 4.0, 8.0, 60.0):
        talk.hold(engine.poll(now))
    assert talk.asked.count(METRICS) == talk.asked.count("/v2/health/ready") == 4
    assert talk.asked.count("/v2") == talk.asked.count("/v2/models/stats") == 2


def test_metrics_at_the_port_of_its_command_line() -> None:
    """Two servers on a host differ in their ports, and are never read for each other."""
    origin = "http://127.0.0.1:9002"
    talk = Talk({**REAL, f"{origin}/metrics": REAL[METRICS]})
    talk.hold(Triton(Hints(runners=(origin,))).poll(0.0))
    assert f"{origin}/metrics" in talk.asked
    assert METRICS not in talk.asked


@pytest.mark.parametrize("answer", [REFUSED, NOT_FOUND, WEB_PAGE])
def test_without_metrics_the_names_are_known(answer: Answer | Failure) -> None:
    """They may be disabled, or another port's."""
    reading = read(Triton().poll(0.0), {**REAL, METRICS: answer})
    assert (reading.health, reading.model, reading.queued) == ("no-metrics", "tiny", None)
    assert "--metrics-port" in (reading.advice or "")


def test_another_servers_metrics_are_left_alone() -> None:
    """A llama.cpp two ports above would have its averages restarted by every reading."""
    engine = Triton()
    talk = Talk({**REAL, METRICS: captured("llamacpp/load/metrics.txt")})
    for now in (0.0, 4.0, 8.0, 56.0):
        reading = talk.hold(engine.poll(now))
        assert not isinstance(reading, Failure)
        assert (reading.health, reading.queued) == ("no-metrics", None)
    assert talk.asked.count(METRICS) == 1


@pytest.mark.parametrize("answer", [UNREADY, LOADING])
@pytest.mark.parametrize("metrics", [REAL[METRICS], REFUSED])
def test_unready(answer: Failure, metrics: Answer | Failure) -> None:
    """A model that is being loaded makes the whole server unready."""
    table = {**REAL, "/v2/health/ready": answer, METRICS: metrics}
    reading = read(Triton().poll(0.0), table)
    assert (reading.health, reading.model) == ("starting", "tiny")


def test_metrics_suffice_where_http_is_disabled() -> None:
    """--allow-http=false leaves gRPC and the metrics."""
    reading = read(Triton().poll(0.0), {METRICS: REAL[METRICS]}, otherwise=REFUSED)
    assert (reading.health, reading.queued, reading.models) == ("online", 16, ("tiny",))


def test_gone_is_gone() -> None:
    """Neither port answers: a failure with its reason; a proxy before it may want a key."""
    assert Talk({}, REFUSED).hold(Triton().poll(0.0)) == REFUSED
    assert read(Triton().poll(0.0), {}, otherwise=AUTH_REQUIRED).health == "auth-required"


@pytest.mark.parametrize("body", [[], {}, {"model_stats": 3}, {"model_stats": [None, {"name": 1}]}])
def test_odd_statistics_never_raise(body: object) -> None:
    """Whatever stands there, the metrics are read."""
    table = {**REAL, "/v2/models/stats": Answer(json.dumps(body).encode())}
    assert read(Triton().poll(0.0), table).queued == 16


def test_captured_idle_with_requests_pending() -> None:
    """The gauge is of the moment, the counters since the start."""
    table = {**REAL, METRICS: Answer(payload("triton/idle/metrics.txt"))}
    reading = read(Triton().poll(0.0), table)
    assert (reading.queued, reading.counters.requests) == (4, 155)
