"""SGLang's captured answers by its documentation, "Production Metrics", and /v1/loads' fields."""

import json
from collections.abc import Mapping
from typing import Any

from tests.payloads.reader import Metrics
from tokentop.domain.engines.readings import Counters, EngineReading, Histograms

TABLES = {
    "": ("/v1/loads", "/metrics", "/v1/models"),
    "without metrics": ("/v1/loads", "/v1/models"),
    "before /v1/loads": ("/metrics", "/v1/models", "/get_server_info"),
}
COPIED_RANK = "tp_rank"  # tensor-parallel ranks work on the same requests
ADDED_RANK = None


def expected(answers: Mapping[str, bytes]) -> EngineReading:
    page = Metrics(answers.get("/metrics", b""))
    models = tuple(card["id"] for card in json.loads(answers["/v1/models"])["data"])
    read = of_loads if "/v1/loads" in answers else of_gauges
    reading = read(json.loads(answers.get("/v1/loads", b"{}")), page)
    info = json.loads(answers.get("/get_server_info", b"{}"))
    if "/v1/loads" not in answers and info:
        states = info["internal_states"]
        slots = sum(state["effective_max_running_requests_per_dp"] for state in states)
        memory = states[0]["memory_usage"]
        reading = reading._replace(
            version=info["version"],
            max_slots=slots,
            kv_gpu_bytes=round(memory["kvcache"] * 2**30),
            weights_gpu_bytes=round(memory["weight"] * 2**30),
        )
    return reading._replace(
        model=models[0],
        models=models,
        slots_source="reported" if reading.max_slots else None,
        counters=counters(page),
        latencies=Histograms(
            ttft=page.histogram("sglang:time_to_first_token_seconds"),
            itl=page.histogram("sglang:inter_token_latency_seconds"),
            e2e=page.histogram("sglang:e2e_request_latency_seconds"),
            queue=page.histogram("sglang:queue_time_seconds"),
            prefill=page.histogram("sglang:per_stage_req_latency_seconds", stage="prefill_forward"),
        ),
    )


def of_loads(document: Any, _: Metrics) -> EngineReading:
    ranks = document["loads"]
    active = sum(rank["num_running_reqs"] for rank in ranks)
    return EngineReading(
        "sglang",
        version=document["version"],
        active=active,
        queued=sum(rank["num_waiting_reqs"] for rank in ranks),
        max_slots=sum(rank["max_running_requests"] for rank in ranks),
        kv_cache=max(rank["token_usage"] for rank in ranks),
        # The last window's figure stays while nothing runs.
        generation_tokens_per_s=sum(rank["gen_throughput"] for rank in ranks) if active else 0.0,
        # Each rank tells those of its own GPU, in GiB.
        kv_gpu_bytes=round(ranks[0]["memory"]["kv_cache_gb"] * 2**30),
        weights_gpu_bytes=round(ranks[0]["memory"]["weight_gb"] * 2**30),
    )


def of_gauges(_: Any, page: Metrics) -> EngineReading:
    active, queued = one_rank(page, "num_running_reqs"), one_rank(page, "num_queue_reqs")
    return EngineReading(
        "sglang",
        active=None if active is None else int(active),
        queued=None if queued is None else int(queued),
        kv_cache=page.highest("sglang:token_usage"),
        generation_tokens_per_s=0.0 if active == 0 else one_rank(page, "gen_throughput"),
    )


def one_rank(page: Metrics, name: str, **labels: str) -> float | None:
    """Captured without data parallelism: every rank says the same, so one of them counts."""
    values = {value for _, value in page.rows(f"sglang:{name}", **labels)}
    assert len(values) <= 1
    return next(iter(values), None)


def counters(page: Metrics) -> Counters:
    computed = one_rank(page, "realtime_tokens_total", mode="prefill_compute")
    cached = one_rank(page, "realtime_tokens_total", mode="prefill_cache")
    decoded = one_rank(page, "realtime_tokens_total", mode="decode")
    prompt = None if computed is None else computed + (cached or 0.0)
    return Counters(
        # What moves while tokens are made, before what moves when a request ends.
        prompt_tokens=page.sum("sglang:prompt_tokens_total") if prompt is None else prompt,
        generation_tokens=(
            page.sum("sglang:generation_tokens_total") if decoded is None else decoded
        ),
        requests=page.sum("sglang:num_requests_total"),
        preemptions=one_rank(page, "num_retracted_requests_total"),
        prefix_queries=prompt,
        prefix_hits=None if prompt is None else cached,
        abort=page.sum("sglang:num_aborted_requests_total"),
    )
