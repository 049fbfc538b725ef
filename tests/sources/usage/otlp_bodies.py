"""Captured OTLP bodies, and what opentelemetry-proto read from some of them."""

import json
from collections.abc import Iterator
from typing import Any

from tests.payloads import payload
from tokentop.sources.usage.bodies import Read
from tokentop.sources.usage.otlp import requests
from tokentop.sources.usage.otlp.requests import Signal

NOW_US = 1_795_300_000_000_000  # 2026-11-21T22:26:40Z, some hours after they were captured


def body(name: str) -> bytes:
    return payload(f"usage/{name}")


def read(name: str, **names: tuple[str, ...]) -> Read:
    """What a captured body holds; its signal is in its name."""
    signals: tuple[Signal, ...] = ("traces", "logs", "metrics")
    signal = next((each for each in signals if each in name), signals[0])
    return requests.read(signal, body(name), names, NOW_US)


def decoded(engine: str, file: str) -> Iterator[dict[str, Any]]:
    """The spans of one file in an engine's decoded.txt."""
    text = body(f"{engine}/decoded.txt").decode()
    section = text.partition(f"/{file} ")[2].partition("\n# ")[0]
    yield from (json.loads(line) for line in section.splitlines() if line.startswith("{"))
