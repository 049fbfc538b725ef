"""Ollama: what it tells itself, and what its runners add."""

import pytest

from tests.sources.engines.conversations import (
    AUTH_REQUIRED,
    LOADING,
    NOT_FOUND,
    Talk,
    captured,
    obj,
    read,
)
from tokentop.domain.readings import Failure
from tokentop.sources.engines.ollama import Ollama
from tokentop.sources.engines.protocol import Hints

REAL = {
    "/api/ps": captured("ollama/load/api_ps.json"),
    "/api/version": captured("ollama/load/api_version.json"),
}
A, B = "http://127.0.0.1:40001", "http://127.0.0.1:40002"


def runner(origin: str) -> dict[str, object]:
    return {
        f"{origin}/props": captured("llamacpp/load/props.json"),
        f"{origin}/slots": captured("llamacpp/load/slots.json"),
    }


def test_alone_it_tells_names_and_memory() -> None:
    """No running count exists: unknown, not 0, and the user is told why."""
    reading = read(Ollama().poll(0.0), REAL)
    assert (reading.version, reading.models) == ("0.33.0-rc2", ("tiny-llama:latest",))
    assert (reading.active, reading.queued, reading.max_slots) == (None, None, None)
    assert reading.vram_bytes == 0, "loaded on the CPU, and known to be"
    assert (reading.health, bool(reading.advice)) == ("names-only", True)


def test_runners_tell_slots_and_tokens() -> None:
    """Two runners' slots add up, and their tasks are told apart."""
    table = {**REAL, **runner(A), **runner(B)}
    reading = read(Ollama(Hints(argv_slots=2, runners=(A, B))).poll(0.0), table)
    assert (reading.active, reading.max_slots, reading.slots_source) == (8, 8, "reported")
    assert reading.slots is not None
    assert len({step.task for step in reading.slots}) == 8
    assert (reading.health, reading.kv_estimated) == ("online", True)


def test_a_runner_that_fails_leaves_the_others() -> None:
    """A model just unloaded takes its runner with it."""
    table = {**REAL, **runner(A)}
    reading = read(Ollama(Hints(runners=(B, A))).poll(0.0), table, otherwise=NOT_FOUND)
    assert (reading.active, reading.max_slots) == (4, 4)


def test_only_known_runners_are_asked() -> None:
    """Absolute addresses come from the hints, never from an answer."""
    talk = Talk({**REAL, **runner(A)})
    talk.hold(Ollama(Hints(runners=(A,))).poll(0.0))
    assert [p for p in talk.asked if not p.startswith("/")] == [f"{A}/props", f"{A}/slots"]


def test_parallel_slots_are_each_models() -> None:
    """OLLAMA_NUM_PARALLEL is per loaded model."""
    two = obj({"models": [{"name": "a", "size_vram": 5}, {"name": "b", "size_vram": 7}]})
    reading = read(Ollama(Hints(argv_slots=3)).poll(0.0), {**REAL, "/api/ps": two})
    assert (reading.max_slots, reading.slots_source, reading.vram_bytes) == (6, "argv", 12)


def test_nothing_loaded() -> None:
    """Up and idle: no models, no memory, and the running requests stay unknown."""
    reading = read(Ollama().poll(0.0), {**REAL, "/api/ps": obj({"models": []})})
    assert (reading.models, reading.model, reading.active) == ((), None, None)
    assert (reading.vram_bytes, reading.health) == (0, "online")


def test_a_model_without_a_size_leaves_the_sum_unknown() -> None:
    """A sum with a gap in it would be too small."""
    gap = obj({"models": [{"name": "a", "size_vram": 5}, {"name": "b"}]})
    assert read(Ollama().poll(0.0), {**REAL, "/api/ps": gap}).vram_bytes is None


def test_server_busy_is_back_pressure() -> None:
    """503 says that its queue is full."""
    reading = read(Ollama().poll(0.0), {**REAL, "/api/ps": LOADING})
    assert (reading.back_pressure, reading.health) == (True, "online")


def test_locked() -> None:
    """Ollama has no keys; a proxy before it may want one."""
    assert read(Ollama().poll(0.0), {}, otherwise=AUTH_REQUIRED).health == "auth-required"


@pytest.mark.parametrize("body", [[], {}, {"models": 3}, "x"])
def test_odd_answers_are_failures(body: object) -> None:
    """A list of loaded models is the least that is expected."""
    assert isinstance(Talk({"/api/ps": obj(body)}).hold(Ollama().poll(0.0)), Failure)
