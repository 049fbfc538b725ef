"""llama-server's captured answers by its README, "GET /props", "GET /slots", "GET /metrics"."""

import json
from collections.abc import Mapping
from typing import Any

from tests.payloads.reader import Metrics
from tokentop.domain.engines.readings import Counters, EngineReading, ObservedSlots, SlotProgress

TABLES = {"": ("/props", "/slots"), "without slots": ("/props", "/metrics")}
COPIED_RANK = ADDED_RANK = None


def expected(answers: Mapping[str, bytes]) -> EngineReading:
    props = json.loads(answers["/props"])
    reading = EngineReading(
        "llamacpp",
        version=props["build_info"],
        model=props["model_alias"],
        models=(props["model_alias"],),
        max_slots=props["total_slots"],
        slots_source="reported",
    )
    if "/slots" in answers:
        return of_slots(reading, json.loads(answers["/slots"]))
    return of_metrics(reading, Metrics(answers["/metrics"]))


def of_slots(reading: EngineReading, slots: list[Any]) -> EngineReading:
    busy = [slot for slot in slots if slot["is_processing"]]
    held = sum(slot["n_prompt_tokens"] for slot in busy)  # generated ones included
    return reading._replace(
        active=len(busy),
        kv_cache=min(1.0, held / sum(slot["n_ctx"] for slot in slots)),
        kv_estimated=True,
        observed=ObservedSlots(apart=held > max(slot["n_ctx"] for slot in slots)),
        slots=tuple(progress(slot) for slot in slots),
    )


def progress(slot: Any) -> SlotProgress:
    """Where its task is; a slot that never had one says nothing of it."""
    if "id_task" not in slot:
        return SlotProgress(f"/{slot['id']}/", 0)
    (token,) = slot["next_token"]
    return SlotProgress(
        f"/{slot['id']}/{slot['id_task']}", token["n_decoded"], slot["n_prompt_tokens_processed"]
    )


def of_metrics(reading: EngineReading, page: Metrics) -> EngineReading:
    return reading._replace(
        active=page.count("llamacpp:requests_processing"),
        queued=page.count("llamacpp:requests_deferred"),
        counters=Counters(
            prompt_tokens=page.sum("llamacpp:prompt_tokens_total"),
            generation_tokens=page.sum("llamacpp:tokens_predicted_total"),
        ),
    )
