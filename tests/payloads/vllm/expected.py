"""vLLM's captured answers by its documentation, "Production metrics"."""

import json
from collections.abc import Mapping

from tests.payloads.reader import Metrics
from tokentop.domain.engines.readings import Counters, EngineReading

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
        ttft=page.histogram("vllm:time_to_first_token_seconds"),
        itl=page.histogram("vllm:inter_token_latency_seconds"),
        epoch=page.highest("process_start_time_seconds"),
        health="online" if page.sum("vllm:engine_sleep_state", sleep_state="awake") else "asleep",
    )


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
