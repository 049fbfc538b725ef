"""An engine's reading between two calls: all of its plain fields, and only of their types."""

import json
from typing import Any

import pytest

from tokentop.domain.engines.readings import Counters, EngineReading
from tokentop.domain.engines.saved_reading import dump, restore

READING = EngineReading(
    "vllm",
    version="1.2",
    model="m",
    models=("m", "n"),
    active=3,
    queued=0,
    max_slots=8,
    slots_source="reported",
    kv_cache=0.5,
    kv_estimated=True,
    back_pressure=False,
    generation_tokens_per_s=12.5,
    vram_bytes=2**30,
    router=True,
    backends=("http://a:1",),
    health="no-metrics",
    advice="Start it with metrics.",
    bad=("kv_cache",),
    counters=Counters(generation_tokens=7.0),
)


def stored(reading: EngineReading) -> Any:
    return json.loads(json.dumps(dump(reading)))


def test_everything_comes_back() -> None:
    assert restore(stored(READING), "vllm") == READING


@pytest.mark.parametrize("saved", [None, [], "x", 3])
def test_what_is_no_reading_is_none(saved: object) -> None:
    assert restore(saved, "vllm") is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("active", "3"),
        ("active", True),
        ("kv_cache", float("nan")),
        ("router", 1),
        ("version", 3),
        ("models", "m"),
        ("health", "well"),
        ("slots_source", "guessed"),
        ("unheard_of", 3),
    ],
)
def test_a_value_of_another_type_is_unknown(field: str, value: object) -> None:
    assert restore({field: value}, "vllm") == EngineReading("vllm")
