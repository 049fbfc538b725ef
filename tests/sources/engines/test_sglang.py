"""SGLang: /v1/loads before the gauges, ranks that repeat each other, and older servers."""

import json

import pytest

from tests.payloads import payload
from tests.sources.engines.conversations import (
    AUTH_REQUIRED,
    NOT_FOUND,
    Talk,
    captured,
    obj,
    read,
    text,
)
from tokentop.domain.readings import Failure
from tokentop.sources.engines.sglang import Sglang

LOADS = json.loads(payload("sglang/load/v1_loads.json"))
REAL = {
    "/v1/loads": captured("sglang/load/v1_loads.json"),
    "/metrics": captured("sglang/load/metrics.txt"),
    "/v1/models": captured("sglang/load/v1_models.json"),
}


def test_a_captured_server_under_load() -> None:
    """Slots, load and rate come from /v1/loads; counters and latencies from /metrics."""
    reading = read(Sglang().poll(0.0), REAL)
    assert (reading.version, reading.model) == ("0.5.23", "tiny-llama")
    assert (reading.active, reading.queued) == (4, 6)
    assert (reading.max_slots, reading.slots_source) == (4, "reported")
    assert reading.kv_cache == 0.1354
    assert reading.generation_tokens_per_s == 1022.25
    assert all(reading.latencies[:-1])
    assert not reading.latencies.decode, "it reports no stage of that name"
    assert reading.counters.generation_tokens is not None


def test_without_metrics_the_loads_suffice() -> None:
    """--enable-metrics is not needed to see the slots and the queue."""
    reading = read(Sglang().poll(0.0), {**REAL, "/metrics": NOT_FOUND})
    assert (reading.health, reading.active, reading.max_slots) == ("online", 4, 4)
    assert reading.counters.generation_tokens is None


def test_a_drained_server_has_no_rate() -> None:
    """The last window's throughput lingers where nothing runs: that is 0."""
    rank = {**LOADS["loads"][0], "num_running_reqs": 0, "num_waiting_reqs": 0}
    reading = read(Sglang().poll(0.0), {"/v1/loads": obj({"loads": [rank]})})
    assert reading.generation_tokens_per_s == 0.0


def test_ranks_of_the_loads_add_up() -> None:
    """Two data-parallel ranks: load and slots add, the cache is the fullest one's."""
    ranks = [{**LOADS["loads"][0], "dp_rank": n, "token_usage": 0.2 + n / 2} for n in (0, 1)]
    reading = read(Sglang().poll(0.0), {"/v1/loads": obj({"loads": ranks})})
    assert (reading.active, reading.queued, reading.max_slots) == (8, 12, 8)
    assert reading.kv_cache == 0.7
    assert reading.generation_tokens_per_s == 2 * 1022.25


def ranked(name: str, dp: int, tp: int, priority: str, value: float) -> str:
    labels = f'dp_rank="{dp}",model_name="m",pp_rank="0",priority="{priority}",tp_rank="{tp}"'
    return f"sglang:{name}{{{labels}}} {value}"


DP2_TP2 = [
    ranked(name, dp, tp, priority, value)
    for name, values in {
        "num_running_reqs": ((5, 3, 2), (3, 1, 2)),
        "num_queue_reqs": ((2, 1, 1), (0, 0, 0)),
    }.items()
    for dp, by_priority in enumerate(values)
    for tp in (0, 1)
    for priority, value in zip(("", "0", "1"), by_priority, strict=True)
]


def test_tensor_parallel_ranks_and_priorities_are_not_more_requests() -> None:
    """dp2 × tp2 with priorities: the naive sum is 32 running; the truth is 8."""
    reading = read(Sglang().poll(0.0), {"/metrics": text(*DP2_TP2), "/v1/loads": NOT_FOUND})
    assert (reading.active, reading.queued) == (8, 2)


def test_priorities_without_a_total_row_add_up() -> None:
    """Where only rows with a priority exist, they are the requests."""
    rows = [line for line in DP2_TP2 if 'priority=""' not in line]
    reading = read(Sglang().poll(0.0), {"/metrics": text(*rows), "/v1/loads": NOT_FOUND})
    assert (reading.active, reading.queued) == (8, 2)


def test_live_tokens_are_preferred_and_ranks_collapse() -> None:
    """realtime_tokens_total moves while tokens are made; the others only at the request's end."""
    lines = [
        f'sglang:realtime_tokens_total{{mode="{mode}",model_name="m",tp_rank="{tp}"}} {value}'
        for mode, value in (("decode", 500), ("prefill_compute", 70), ("prefill_cache", 30))
        for tp in (0, 1)
    ]
    lines += ['sglang:generation_tokens_total{model_name="m"} 100']
    table = {"/metrics": text(*lines), "/v1/loads": obj({"loads": LOADS["loads"]})}
    counters = read(Sglang().poll(0.0), table).counters
    assert (counters.generation_tokens, counters.prompt_tokens) == (500, 100)
    assert (counters.prefix_queries, counters.prefix_hits) == (100, 30)


def test_an_older_server() -> None:
    """Before /v1/loads: gauges, request-end counters, and the slots once a minute."""
    table = {
        "/metrics": text(
            'sglang:num_running_reqs{model_name="m"} 2',
            'sglang:num_queue_reqs{model_name="m"} 0',
            'sglang:token_usage{model_name="m"} 0.5',
            'sglang:gen_throughput{model_name="m"} 80',
            'sglang:generation_tokens_total{model_name="m"} 100',
            'sglang:time_per_output_token_seconds_bucket{le="+Inf",model_name="m"} 3',
            'sglang:fwd_occupancy{model_name="m"} NaN',
        ),
        "/get_server_info": captured("sglang/idle-fresh/get_server_info.json"),
    }
    engine, talk = Sglang(), Talk(table)
    for now in (0.0, 4.0):
        reading = talk.hold(engine.poll(now))
    assert not isinstance(reading, Failure)
    assert (reading.active, reading.queued, reading.kv_cache) == (2, 0, 0.5)
    assert (reading.max_slots, reading.slots_source) == (4, "reported")
    assert reading.generation_tokens_per_s == 80
    assert reading.counters.generation_tokens == 100
    assert reading.latencies.itl
    assert talk.asked.count("/get_server_info") == 1


def test_blind() -> None:
    """Neither loads nor metrics: it answers, and that is all that is known."""
    reading = read(Sglang().poll(0.0), {"/v1/models": REAL["/v1/models"]})
    assert (reading.health, reading.model, reading.active) == ("no-metrics", "tiny-llama", None)
    assert "--enable-metrics" in (reading.advice or "")


def test_locked() -> None:
    """A key is wanted for all but /metrics, which may be off."""
    locked = {"/v1/loads": AUTH_REQUIRED, "/v1/models": AUTH_REQUIRED}
    assert read(Sglang().poll(0.0), locked).health == "auth-required"
    reading = read(Sglang().poll(0.0), {**locked, "/metrics": REAL["/metrics"]})
    assert (reading.health, reading.model) == ("online", "tiny-llama")
    assert reading.active is not None
    assert "token_env" in (reading.advice or ""), "the slots are behind the key"


@pytest.mark.parametrize("body", [{}, {"loads": []}, {"loads": [{}]}, {"loads": "x"}, []])
def test_odd_loads(body: object) -> None:
    """What the loads do not say is unknown, and never raises."""
    result = Talk({"/v1/loads": obj(body)}).hold(Sglang().poll(0.0))
    assert isinstance(result, Failure) or result.active is None


@pytest.mark.parametrize(
    ("ranks", "sizes"),
    [
        ([{"weight_gb": 15.5, "kv_cache_gb": 50.0}], (50 * 2**30, round(15.5 * 2**30))),
        ([{"weight_gb": 15.5, "kv_cache_gb": 50.0}] * 2, (50 * 2**30, round(15.5 * 2**30))),
        ([{"weight_gb": 15.5, "kv_cache_gb": 50.0}, {"weight_gb": 15.5, "kv_cache_gb": 49.0}],
         (None, round(15.5 * 2**30))),
        ([{"weight_gb": "much", "kv_cache_gb": 0.0}], (None, None)),
        (["nothing"], (None, None)),
        ([], (None, None)),
    ],
)  # fmt: skip
def test_weights_and_kv_cache_of_each_gpu(
    ranks: list[object], sizes: tuple[int | None, int | None]
) -> None:
    """GiB of each rank's GPU; unknown where the ranks differ, or say nothing usable."""
    loads = [{"num_running_reqs": 1, "memory": memory} for memory in ranks]
    loads = loads or [{"num_running_reqs": 1}]
    reading = read(Sglang().poll(0.0), {"/v1/loads": obj({"version": "0.5.23", "loads": loads})})
    assert (reading.kv_gpu_bytes, reading.weights_gpu_bytes) == sizes
