"""A snapshot of another machine, looked at later."""

import json
from collections.abc import Iterator

import pytest

from tests import engine_examples, examples
from tokentop.domain.aging import aged, silent
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_json import dumps

STATES = {**examples.STATES, **engine_examples.STATES}


def ages(value: object, at: str = "") -> Iterator[tuple[str, float | None]]:
    """Every age of the JSON object with its place."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name in ("age_s", "data_age_s"):
                yield f"{at}.{name}", part
            yield from ages(part, f"{at}.{name}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from ages(part, f"{at}.{number}")


@pytest.mark.parametrize("name", STATES)
def test_every_age_goes_on_and_nothing_else_changes(name: str) -> None:
    before = STATES[name]()
    later = dict(ages(json.loads(dumps(aged(before, 7.0)))))
    assert later == {
        place: None if age is None else pytest.approx(age + 7.0)
        for place, age in ages(json.loads(dumps(before)))
    }
    assert aged(before, 0.0) == before


def test_a_silent_host_keeps_its_figures_and_says_why() -> None:
    before = examples.high()
    found = silent(before, "nothing listens there")
    assert found.demand.headline == "nothing listens there"
    assert (found.demand.utilization, found.llm.active) == (
        before.demand.utilization,
        before.llm.active,
    )
    assert found.demand.stale
    assert found.llm.stale
    assert {gpu.state for gpu in found.gpus} == {"stale"}


def test_what_was_never_known_is_not_stale() -> None:
    assert silent(Snapshot(), "why") == Snapshot()._replace(
        demand=Snapshot().demand._replace(headline="why")
    )
