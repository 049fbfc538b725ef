"""Triton's captured answers by its user guide, "Metrics", and the KServe "Statistics" extension.

Captured with a Python backend, which exports nothing of its own: what runs is unknown, and tokens.
"""

import json
import math
from collections.abc import Iterable, Mapping

from tests.payloads.reader import Metrics
from tokentop.domain.engines.readings import Counters, EngineReading, ObservedSlots

METRICS = ":+2/metrics"
TABLES = {"": ("/v2/health/ready", METRICS, "/v2", "/v2/models/stats")}
COPIED_RANK = ADDED_RANK = None


def expected(answers: Mapping[str, bytes]) -> EngineReading:
    page = Metrics(answers[METRICS])
    failed = "nv_inference_request_failure"
    models = tuple(
        model["name"] for model in json.loads(answers["/v2/models/stats"])["model_stats"]
    )
    broken = total(page.sum(failed, reason=reason) for reason in ("BACKEND", "OTHER"))
    canceled = page.sum(failed, reason="CANCELED")
    succeeded = page.sum("nv_inference_request_success")
    return EngineReading(
        "triton",
        version=json.loads(answers["/v2"])["version"],
        model=models[0],
        models=models,
        queued=page.count("nv_inference_pending_request_count"),
        counters=Counters(
            requests=total((succeeded, canceled, broken)),
            rejections=page.sum(failed, reason="REJECTED"),
            abort=canceled,
            error=broken,
        ),
        observed=ObservedSlots(),
    )


def total(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if known else None
