"""A Prometheus server as plain dictionaries: what it answers to each query by name."""

import json
from collections.abc import Mapping

from tokentop.domain.engines.fleet_readings import FleetReading
from tokentop.domain.readings import Failure
from tokentop.sources.engines.protocol import Answer
from tokentop.sources.prometheus.fleet import parse

AT = 1795237324.5
VLLM = {"instance": "a:8000", "job": "vllm"}


def answer(*rows: tuple[dict[str, str], object], **extra: object) -> Answer:
    """A vector of (labels, value); other keys of the envelope by name."""
    result = [{"metric": labels, "value": [AT, str(value)]} for labels, value in rows]
    data = {"resultType": "vector", "result": result}
    return Answer(json.dumps({"status": "success", "data": data, **extra}).encode())


def row(name: str, value: object, **labels: str) -> tuple[dict[str, str], object]:
    """One sample of the vLLM server at a:8000, or of another by its labels."""
    return {"__name__": name, **VLLM, **labels}, value


def of(figure: str, value: object, **labels: str) -> tuple[dict[str, str], object]:
    """One row of a figure of the same server."""
    return {"figure": figure, **VLLM, **labels}, value


EMPTY = {
    name: answer()
    for name in (
        "gauges",
        "ages",
        "down",
        "rates",
        "events",
        "latency",
        "latency_tokens",
        "latency_stages",
        "totals",
        "merged",
        "gpus",
    )
}


def read(
    group_by: str | None = None, window_s: int = 60, **answers: Answer | Failure
) -> FleetReading:
    """What the fleet's server says with these answers; the others are empty."""
    found = parse({**EMPTY, **answers}, group_by, window_s)
    assert isinstance(found, FleetReading), found
    return found


def failing(answers: Mapping[str, Answer | Failure]) -> Failure:
    found = parse(answers, None)
    assert isinstance(found, Failure), found
    return found
