"""Triton's captured answers by its user guide, "Metrics", and the KServe "Statistics" extension.

Captured with a Python backend, which exports nothing of its own: what runs is unknown, and tokens.
"""

import json
from collections.abc import Mapping

from tests.payloads.reader import Metrics
from tokentop.domain.engines.readings import Counters, EngineReading

METRICS = ":+2/metrics"
TABLES = {"": ("/v2/health/ready", METRICS, "/v2", "/v2/models/stats")}
COPIED_RANK = ADDED_RANK = None


def expected(answers: Mapping[str, bytes]) -> EngineReading:
    page = Metrics(answers[METRICS])
    failed = "nv_inference_request_failure"
    models = tuple(
        model["name"] for model in json.loads(answers["/v2/models/stats"])["model_stats"]
    )
    broken = [page.sum(failed, reason=reason) for reason in ("BACKEND", "OTHER")]
    return EngineReading(
        "triton",
        version=json.loads(answers["/v2"])["version"],
        model=models[0],
        models=models,
        queued=page.count("nv_inference_pending_request_count"),
        counters=Counters(
            requests=page.sum("nv_inference_request_success"),
            rejections=page.sum(failed, reason="REJECTED"),
            abort=page.sum(failed, reason="CANCELED"),
            error=sum(each for each in broken if each is not None),
        ),
    )
