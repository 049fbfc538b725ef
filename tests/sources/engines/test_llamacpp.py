"""llama.cpp: slots of every build since 2024, routers, sleepers, and disabled endpoints."""

import json

import pytest

from tests.payloads import payload
from tests.sources.engines.conversations import (
    AUTH_REQUIRED,
    DISABLED,
    LOADING,
    NOT_FOUND,
    Talk,
    captured,
    obj,
    read,
    text,
)
from tokentop.domain.engines.readings import SlotProgress
from tokentop.domain.readings import Failure
from tokentop.sources.engines.llamacpp import LlamaCpp
from tokentop.sources.engines.protocol import Hints

PROPS = json.loads(payload("llamacpp/load/props.json"))
REAL = {
    "/props": captured("llamacpp/load/props.json"),
    "/slots": captured("llamacpp/load/slots.json"),
}


def test_a_captured_server_under_load() -> None:
    """Slots tell what runs, how far it is, and how full the contexts are."""
    reading = read(LlamaCpp().poll(0.0), REAL)
    assert (reading.model, reading.version) == ("tiny-llama", "b11434-unknown")
    assert (reading.active, reading.max_slots, reading.slots_source) == (4, 4, "reported")
    assert reading.queued is None, "no endpoint but /metrics tells the queue"
    assert reading.slots is not None
    assert reading.slots[0] == SlotProgress("/0/6", 2493, 121)
    assert reading.kv_estimated
    assert reading.kv_cache is not None
    assert 0.5 < reading.kv_cache < 0.7


@pytest.mark.parametrize("alias", ["/models/m.gguf", None, "dir/m.gguf"])
def test_a_model_without_an_alias_is_named_by_its_file(alias: str | None) -> None:
    """Builds of today give the whole path as the alias."""
    props = {"model_alias": alias, "model_path": "/models/m.gguf"}
    reading = read(LlamaCpp().poll(0.0), {**REAL, "/props": obj(props)})
    assert reading.model == "m.gguf"


@pytest.mark.parametrize("name", ["idle", "idle-fresh"])
def test_an_idle_slot_keeps_its_last_task(name: str) -> None:
    """The data of a finished task is not work."""
    table = {**REAL, "/slots": captured(f"llamacpp/{name}/slots.json")}
    reading = read(LlamaCpp().poll(0.0), table)
    assert (reading.active, reading.max_slots, reading.kv_cache) == (0, 4, 0.0)


def test_a_build_of_2024() -> None:
    """`state` 0/1 and a next_token object; its KV figure is not told, so it is unknown."""
    rows = [
        {"id": 0, "state": 1, "id_task": 3, "n_ctx": 512, "next_token": {"n_decoded": 12}},
        {"id": 1, "state": 0, "id_task": -1, "n_ctx": 512, "next_token": {"n_decoded": 0}},
    ]
    reading = read(LlamaCpp().poll(0.0), {"/props": obj({"total_slots": 2}), "/slots": obj(rows)})
    assert (reading.active, reading.max_slots, reading.kv_cache) == (1, 2, None)
    assert reading.slots == (SlotProgress("/0/3", 12, 0), SlotProgress("/1/", 0, 0))


def test_slots_alone_tell_their_number() -> None:
    """Where /props does not count them, the list's length does."""
    rows = [{"id": n, "is_processing": n == 0} for n in range(3)]
    reading = read(LlamaCpp().poll(0.0), {"/props": obj({}), "/slots": obj(rows)})
    assert (reading.active, reading.max_slots) == (1, 3)


@pytest.mark.parametrize("refusal", [DISABLED, NOT_FOUND])
def test_disabled_slots_are_replaced_by_metrics(refusal: Failure) -> None:
    """Only then is /metrics read, and never its averages."""
    table = {**REAL, "/slots": refusal, "/metrics": captured("llamacpp/load/metrics.txt")}
    reading = read(LlamaCpp().poll(0.0), table)
    assert (reading.active, reading.max_slots, reading.health) == (4, 4, "online")
    assert reading.queued is not None
    assert reading.counters.generation_tokens is not None
    assert reading.slots is None
    assert reading.generation_tokens_per_s is None


def test_the_kv_figure_of_older_metrics() -> None:
    """Builds that tell the cache's use are believed, without an estimate's mark."""
    table = {"/props": obj({}), "/metrics": text("llamacpp:kv_cache_usage_ratio 0.25")}
    reading = read(LlamaCpp(Hints(argv_slots=6)).poll(0.0), table)
    assert (reading.kv_cache, reading.kv_estimated) == (0.25, False)
    assert (reading.max_slots, reading.slots_source) == (6, "argv")
    assert reading.active is None


def test_blind() -> None:
    """Slots and metrics disabled: the names and slots are all there is."""
    reading = read(LlamaCpp().poll(0.0), {"/props": REAL["/props"]}, otherwise=DISABLED)
    assert (reading.health, reading.active, reading.max_slots) == ("no-metrics", None, 4)
    assert "--slots" in (reading.advice or "")


@pytest.mark.parametrize(
    ("answer", "health"), [(LOADING, "starting"), (AUTH_REQUIRED, "auth-required")]
)
def test_refusals(answer: Failure, health: str) -> None:
    """503 on every path is a model being loaded, not a dead server; 401 wants a key."""
    reading = read(LlamaCpp().poll(0.0), {}, otherwise=answer)
    assert (reading.health, reading.active) == (health, None)


def test_asleep() -> None:
    """A sleeping model is only looked at through /props."""
    talk = Talk({**REAL, "/props": obj({**PROPS, "is_sleeping": True})})
    reading = talk.hold(LlamaCpp().poll(0.0))
    assert not isinstance(reading, Failure)
    assert (reading.health, reading.active) == ("asleep", None)
    assert talk.asked == ["/props"]


def model(name: str, state: str) -> dict[str, object]:
    return {"id": name, "status": {"value": state}}


def test_a_router_is_asked_for_loaded_models_only() -> None:
    """Unloaded and sleeping models stay so; the slots of the loaded ones add up."""
    states = ("loaded", "unloaded", "starting", "sleeping", "downloading")
    models = [model(f"org/m {state}", state) for state in states] + [model("b", "loaded")]
    rows = [{"id": 0, "is_processing": True, "id_task": 1, "next_token": [{"n_decoded": 5}]}]
    first, second = (f"/slots?model={name}&autoload=false" for name in ("org%2Fm%20loaded", "b"))
    talk = Talk(
        {
            "/props": obj({"role": "router"}),
            "/models": obj({"data": models}),
            first: obj(rows),
            second: obj(rows * 2),
        }
    )
    reading = talk.hold(LlamaCpp().poll(0.0))
    assert not isinstance(reading, Failure)
    assert talk.asked == ["/props", "/models", first, second]
    assert (reading.models, reading.active, reading.max_slots) == (("org/m loaded", "b"), 3, 3)
    assert reading.slots is not None
    assert len({step.task for step in reading.slots}) == 2


def test_a_router_with_nothing_loaded() -> None:
    """Nothing loaded, nothing running; no slots are asked for."""
    table = {"/props": obj({"role": "router"}), "/models": obj({"data": [model("a", "unloaded")]})}
    talk = Talk(table)
    reading = talk.hold(LlamaCpp().poll(0.0))
    assert not isinstance(reading, Failure)
    assert (reading.models, reading.active, reading.max_slots) == ((), 0, None)
    assert talk.asked == ["/props", "/models"]


@pytest.mark.parametrize("rows", [{}, [None, 3], [{"next_token": [], "id_task": "x"}], "x"])
def test_odd_slots_never_raise(rows: object) -> None:
    """Whatever /slots holds comes out as a reading or a failure."""
    Talk({"/props": obj({}), "/slots": obj(rows)}).hold(LlamaCpp().poll(0.0))
