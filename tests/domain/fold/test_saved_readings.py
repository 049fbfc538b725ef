"""Readings between two calls: what is restored was on disk, and may hold anything."""

import json
from typing import Any

import pytest

from tokentop.domain.fold.last_good import LastGood
from tokentop.domain.fold.saved_readings import dump, restore
from tokentop.domain.readings import (
    AgentsReading,
    PressureReading,
    QueueReading,
    VramReading,
)

QUEUE = QueueReading(3, 2, 8, ("a", "b"), True, 10, 20, ("queued",))
GOOD = {
    "genesis/llm_queue": LastGood(QUEUE, 5.0),
    "microscheduler/vram_status": LastGood(VramReading(100, 50, 2), 6.0),
    "acta/compute_pressure": LastGood(PressureReading(0.5, 2.0, False), 7.0),
}


def stored(held: dict[str, LastGood]) -> Any:
    return json.loads(json.dumps(dump(held)))


def row(**changes: object) -> dict[str, object]:
    """One row, of a queue that was read at 5 s."""
    return {"k": {**stored({"k": LastGood(QUEUE, 5.0)})["k"], **changes}}


def test_what_the_verdict_needs_comes_back() -> None:
    assert restore(stored(GOOD), 7.0) == GOOD


def test_of_the_others_only_that_they_answered() -> None:
    """A service that answered once counts as a member; its figures are not kept."""
    held = {"genesis/agents": LastGood(AgentsReading(3, 1), 5.0), "mint/mint_pool": LastGood()}
    assert restore(stored(held), 7.0) == {"genesis/agents": LastGood(None, 5.0)}


@pytest.mark.parametrize("saved", [None, [], "x", {"k": None}, {"k": [1]}, {"k": {}}])
def test_what_is_no_row_is_left_out(saved: object) -> None:
    assert restore(saved, 9.0) == {}


@pytest.mark.parametrize("at", [None, "5", 9.5, [5.0]])
def test_a_moment_that_has_not_been_is_left_out(at: object) -> None:
    assert restore(row(at=at), 9.0) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "AgentsReading"},
        {"kind": 3},
        {"kind": None},
        {"values": None},
        {"values": [3, 2]},
        {"values": "12345678"},
    ],
)
def test_a_malformed_reading_leaves_that_it_answered(changes: dict[str, object]) -> None:
    assert restore(row(**changes), 9.0) == {"k": LastGood(None, 5.0)}


def test_a_field_of_another_type_is_unknown() -> None:
    values = ["3", True, float("inf"), [1, "b"], "yes", None, 20, "queued"]
    (one,) = restore(row(values=values), 9.0).values()
    assert one.good == QueueReading(models=("b",), vram_total_bytes=20)
