"""What is written as `tokentop/1` is read back whole; what is malformed costs only itself."""

import json
from functools import cache
from types import UnionType
from typing import Any, Union, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tokentop.domain.snapshot import Gpu, Llm, Service, Snapshot
from tokentop.domain.snapshot_decode import MAX_ROWS, field_types, loads
from tokentop.domain.snapshot_json import dumps, encode
from tokentop.domain.text import clean
from tokentop.light_typing import Literal, get_args

Values = st.SearchStrategy[Any]
_INTEGERS = st.integers(-(2**63), 2**63)
_PLAIN: dict[Any, Values] = {
    type(None): st.none(),
    bool: st.booleans(),
    int: _INTEGERS,
    float: st.floats(allow_nan=False, allow_infinity=False) | _INTEGERS,
    str: st.text(max_size=40).map(clean),
}


@cache
def of(kind: Any) -> Values:
    """Every value that an annotation allows and JSON can hold, a few of each row."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(parts)
    if origin in (Union, UnionType):
        return st.one_of(*map(of, parts))
    if origin is tuple and parts[-1] is Ellipsis:
        return st.lists(of(parts[0]), max_size=2).map(tuple)
    return _PLAIN[kind] if kind in _PLAIN else _row(kind)


def _row(kind: Any) -> Values:
    hints = field_types(kind)
    fields = {name: of(hint) for name, hint in hints.items() if name != "services_online"}
    return st.builds(kind, **fields)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(made=of(Snapshot), online=st.dictionaries(_PLAIN[str], st.booleans(), max_size=7))
def test_a_snapshot_comes_back_as_it_was(made: Snapshot, online: dict[str, bool]) -> None:
    """Every field of every row, with every kind of value that its annotation allows."""
    made = made._replace(services_online=tuple(online.items()))
    assert loads(dumps(made)) == made


def read(**changed: object) -> Snapshot:
    """A snapshot of two services read back, after some of its keys were replaced."""
    two = (Service("mint", "mint", latency_ms=4.5), Service("acta", "acta"))
    found = loads(json.dumps({**encode(Snapshot(services=two, host="box")), **changed}))
    assert found is not None
    return found


def test_keys_of_a_newer_version_are_ignored_and_of_an_older_one_missing() -> None:
    """An unknown key costs nothing; a missing one is as if nothing had been measured."""
    assert read(tomorrow={"a": 1}).host == "box"
    assert loads('{"schema":"tokentop/1","llm":{"active":3,"new":4}}') == Snapshot(llm=Llm(3))


@pytest.mark.parametrize("bad", [7, "text", True, [1], {"a": {}}, -(10**400), float("nan")])
def test_a_value_of_another_type_is_unknown(bad: object) -> None:
    """Each wrong value costs its own field and nothing beside it."""
    service = {"name": "mint", "kind": "mint", "latency_ms": 1.0, "member": bad, "error": None}
    found = read(services=[service, bad], gpus=bad, llm={"active": 2, "kv_cache": "full"})
    assert found.services[0]._replace(member=False) == Service("mint", "mint", latency_ms=1.0)
    assert (found.gpus, found.llm) == ((), Llm(active=2))


def test_a_row_without_what_names_it_is_left_out() -> None:
    """The other rows stay."""
    found = read(services=[{"kind": "x"}, {"name": "a", "kind": "b"}]).services
    assert [service.name for service in found] == ["a"]


def test_a_state_of_a_newer_version_is_the_default() -> None:
    assert read(gpus=[{"index": 3, "state": "molten"}]).gpus == (Gpu(index=3),)


def test_text_is_made_harmless_and_rows_are_bounded() -> None:
    """Another machine's text goes to this terminal."""
    found = read(host="\x1b]0;owned\x07box\n", gpus=[{}] * (MAX_ROWS + 5))
    assert found.host == "box"
    assert len(found.gpus) == MAX_ROWS


@pytest.mark.parametrize(
    "line", ["", "[]", "nonsense", '{"schema":"tokentop/2"}', "[" * 100_000, b"\xff\xfe", "{}"]
)
def test_anything_else_is_no_snapshot(line: str | bytes) -> None:
    assert loads(line) is None
