"""The JSON Schema of tokentop/1: what is shipped, held against the snapshot and its examples."""

import json
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests import engine_examples, examples
from tests.cli.command import environment, run
from tests.cli.stack import serving
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_json import dumps
from tokentop.views.schema import schema

SHIPPED: dict[str, Any] = json.loads(files("tokentop").joinpath("share/schema.json").read_text())
STATES = {"zero": Snapshot, **examples.STATES, **engine_examples.STATES}


def problems(value: object) -> list[str]:
    checker = Draft202012Validator(SHIPPED, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(value)]


def test_what_is_shipped_is_what_the_snapshot_has() -> None:
    """After a change of a named tuple: python -m tokentop.views.schema > .../share/schema.json."""
    Draft202012Validator.check_schema(SHIPPED)
    assert schema() == SHIPPED


@pytest.mark.parametrize("name", STATES)
def test_every_example_is_valid(name: str) -> None:
    assert problems(json.loads(dumps(STATES[name]()))) == []


@pytest.mark.parametrize("words", [("--demo-at", "100"), ("--no-gpus",)])
def test_what_the_command_prints_is_valid(words: tuple[str, ...]) -> None:
    with serving() as url:
        done = run("--json", *words, env=environment(url))
    assert problems(json.loads(done.stdout)) == []


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("schema", "tokentop/2"),
        ("interval_s", None),
        ("services_online.genesis", "yes"),
        ("llm.active", 1.5),
        ("demand.tier", "busy"),
        ("demand.utilization", "0.5"),
        ("gpus.0.state", "fine"),
        ("gpus.0.processes.0.pid", None),
        ("pricing.multiplier", True),
        ("cloud.instances", {}),
    ],
)
def test_what_is_no_snapshot_is_not_valid(path: str, wrong: object) -> None:
    """A key that is missing, or of another type, is found."""
    value = json.loads(dumps(examples.high()))
    *way, last = path.split(".")
    holder = value
    for step in way:
        holder = holder[int(step)] if step.isdigit() else holder[step]
    holder[last] = wrong
    assert problems(value)
    del holder[last]
    assert problems(value)


def test_keys_that_come_later_are_valid() -> None:
    """tokentop/1 gains keys: an old schema accepts what a newer program says."""
    value = json.loads(dumps(examples.high()))
    value["later"] = value["gpus"][0]["later"] = 1
    assert problems(value) == []
