"""vLLM's captured answers by its documentation, "Production metrics"."""

import json
from collections.abc import Mapping

from tests.payloads.reader import Metrics
from tokentop.domain.engines.readings import Counters, EngineReading, Histograms, ObservedSlots

TABLES = {"": ("/metrics", "/version", "/v1/models")}
COPIED_RANK = None
ADDED_RANK = "engine"  # each data-parallel engine has requests of its own


def expected(answers: Mapping[str, bytes]) -> EngineReading:
    page = Metrics(answers["/metrics"])
    models = tuple(card["id"] for card in json.loads(answers["/v1/models"])["data"])
    return EngineReading(
        "vllm",
        version=json.loads(answers["/version"])["version"],
        model=models[0],
        models=models,
        active=page.count("vllm:num_requests_running"),
        queued=page.count("vllm:num_requests_waiting"),
        max_slots=None,  # no page has it
        kv_cache=page.highest("vllm:kv_cache_usage_perc"),
        counters=counters(page),
        latencies=Histograms(
            ttft=page.histogram("vllm:time_to_first_token_seconds"),
            itl=page.histogram("vllm:inter_token_latency_seconds"),
            e2e=page.histogram("vllm:e2e_request_latency_seconds"),
            queue=page.histogram("vllm:request_queue_time_seconds"),
            prefill=page.histogram("vllm:request_prefill_time_seconds"),
            decode=page.histogram("vllm:request_decode_time_seconds"),
        ),
        epoch=page.highest("process_start_time_seconds"),
        observed=observed(page),
        kv_gpu_bytes=int(page.values("vllm:cache_config_info", "kv_cache_memory_bytes")[0]),
        health="online" if page.sum("vllm:engine_sleep_state", sleep_state="awake") else "asleep",
    )


def observed(page: Metrics) -> ObservedSlots:
    """Evidence of the slots: the captured servers had nobody wait with their cache not full."""
    running, waiting = (page.count(f"vllm:num_requests_{each}") for each in ("running", "waiting"))
    epoch = page.highest("process_start_time_seconds")
    return ObservedSlots(running, 1, epoch) if running and waiting else ObservedSlots(0, 0, epoch)


def counters(page: Metrics) -> Counters:
    ended = "vllm:request_success_total"
    return Counters(
        prompt_tokens=page.sum("vllm:prompt_tokens_total"),
        generation_tokens=page.sum("vllm:generation_tokens_total"),
        requests=page.sum(ended),
        preemptions=page.sum("vllm:num_preemptions_total"),
        rejections=page.sum("vllm:admission_rejections_total"),
        prefix_queries=page.sum("vllm:prefix_cache_queries_total"),
        prefix_hits=page.sum("vllm:prefix_cache_hits_total"),
        stop=page.sum(ended, finished_reason="stop"),
        length=page.sum(ended, finished_reason="length"),
        abort=page.sum(ended, finished_reason="abort"),
        error=page.sum(ended, finished_reason="error"),
    )
