"""A key that is missing, a model that loads: the same state whatever the engine."""

import pytest

from tests.sources.engines.conversations import AUTH_REQUIRED, LOADING, Talk, captured, obj, read
from tokentop.domain.engines.readings import EngineKind, EngineReading, ObservedSlots
from tokentop.domain.readings import Failure
from tokentop.sources.engines.protocol import Answer, is_html
from tokentop.sources.engines.registry import adapter
from tokentop.sources.engines.slots import lower_bound, observed

# LiteLLM's failure is its state; SGLang and Ollama load models behind a server that answers.
KEYED: tuple[EngineKind, ...] = (
    "vllm", "sglang", "llamacpp", "ollama", "tgi", "triton", "openai",
)  # fmt: skip
LOADED_FIRST: tuple[EngineKind, ...] = ("vllm", "llamacpp", "tgi", "triton", "openai")


def answered(kind: EngineKind, everything: Failure) -> EngineReading | Failure:
    return Talk({}, everything).hold(adapter(kind).poll(0.0))


@pytest.mark.parametrize("kind", KEYED)
def test_a_missing_key(kind: EngineKind) -> None:
    """An engine of its kind, whose figures are unknown, with words on what to do."""
    reading = answered(kind, AUTH_REQUIRED)
    assert isinstance(reading, EngineReading)
    assert (reading.kind, reading.health, reading.active) == (kind, "auth-required", None)
    assert "API key" in (reading.advice or "")


@pytest.mark.parametrize("kind", LOADED_FIRST)
def test_a_model_that_loads(kind: EngineKind) -> None:
    reading = answered(kind, LOADING)
    assert isinstance(reading, EngineReading)
    assert (reading.kind, reading.health) == (kind, "starting")
    assert "being loaded" in (reading.advice or "")


def test_a_page_of_the_web_by_its_type_or_its_first_character() -> None:
    assert is_html(Answer(b"Sign in", "text/HTML; charset=utf-8"))
    assert is_html(Answer(b" \n<!doctype html>", "text/plain"))
    assert not is_html(Answer(b"{}", "application/json"))


def test_a_list_of_models_that_is_none() -> None:
    found = Talk({"/v1/models": obj({"detail": "x"})}).hold(adapter("openai").poll(0.0))
    assert found == Failure("bad-data", "/v1/models does not answer a list of models.")


@pytest.mark.parametrize(("status", "advised"), [(401, True), (403, True), (404, False)])
def test_sglangs_metrics_are_open_and_its_loads_are_not(status: int, advised: bool) -> None:
    """The figures of /metrics stand, and the advice names the key that the slots want."""
    table = {
        "/metrics": captured("sglang/load/metrics.txt"),
        "/v1/loads": Failure("auth", "refused", True, status),
    }
    reading = read(adapter("sglang").poll(0.0), table)
    assert (reading.health, reading.max_slots) == ("online", None)
    assert ("API key" in (reading.advice or "")) is advised


@pytest.mark.parametrize(("kv_cache", "counts"), [(None, True), (0.94, True), (0.95, False)])
def test_a_full_kv_cache_proves_nothing_about_slots(kv_cache: float | None, counts: bool) -> None:
    """Requests may wait for cache: such a reading is no lower bound of the slots."""
    evidence = ObservedSlots()
    for _ in range(10):
        evidence = observed(evidence, EngineReading("vllm", active=7, queued=1, kv_cache=kv_cache))
    assert lower_bound(evidence) == (7 if counts else None)
