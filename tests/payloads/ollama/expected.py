"""Ollama's captured answers by its documentation, "List Running Models" and "Version"."""

import json
from collections.abc import Mapping

from tokentop.domain.engines.readings import EngineReading

TABLES = {"": ("/api/ps", "/api/version")}
COPIED_RANK = ADDED_RANK = None


def expected(answers: Mapping[str, bytes]) -> EngineReading:
    models = json.loads(answers["/api/ps"])["models"]
    names = tuple(model["name"] for model in models)
    return EngineReading(
        "ollama",
        version=json.loads(answers["/api/version"])["version"],
        model=names[0],
        models=names,
        vram_bytes=sum(model["size_vram"] for model in models),
        health="names-only",  # no answer has running or waiting requests
    )
