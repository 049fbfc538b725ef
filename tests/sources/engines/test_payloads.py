"""Every figure read from captured answers, against an independent reading of the same bytes.

Each answer is read as it was captured, and once more with another number in every place: only so
is a counter read for another seen where the server had 0 in both.
"""

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from tests.payloads import ENGINES, answers, states
from tests.payloads.reader import added_up, copied_rank, numbered
from tests.sources.engines.conversations import read
from tokentop.domain.engines.readings import EngineReading
from tokentop.sources.engines.protocol import Answer
from tokentop.sources.engines.registry import adapter

Bodies = Mapping[str, bytes]


class Case(NamedTuple):
    """One engine's answers by path, as captured or varied."""

    engine: str
    name: str
    bodies: Bodies


def oracle(engine: str) -> Any:
    return importlib.import_module(f"tests.payloads.{engine}.expected")


def cases() -> Iterator[Case]:
    for engine in ENGINES:
        for state in states(engine):
            for table, paths in oracle(engine).TABLES.items():
                found = answers(engine, state, paths)
                if len(found) == len(paths):
                    yield from variants(engine, f"{state} {table}".strip(), found)


def variants(engine: str, name: str, found: Bodies) -> Iterator[Case]:
    other = {path: numbered(path, body) for path, body in found.items()}
    yield Case(engine, name, found)
    yield Case(engine, f"{name}, numbered", other)
    copied, added = oracle(engine).COPIED_RANK, oracle(engine).ADDED_RANK
    pages = [path for path in found if path.endswith("/metrics")]
    for path in pages if copied else ():
        twice = {**other, path: copied_rank(other[path], copied)}
        yield Case(engine, f"{name}, ranks repeat each other", twice)
    for path in pages if added else ():
        more = {**other, path: numbered(path, copied_rank(found[path], added))}
        yield Case(engine, f"{name}, two engines", more)


def figures(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every figure of a reading by its place in it; advice is words and no figure."""
    if isinstance(value, tuple):
        names = getattr(value, "_fields", range(len(value)))
        yield f"{name}.len", len(value)
        for each, part in zip(names, value, strict=True):
            if each != "advice":
                yield from figures(part, f"{name}.{each}")
    else:
        yield name, value


CASES = {f"{case.engine} {case.name}": case for case in cases()}


@pytest.mark.parametrize("name", CASES)
def test_every_figure_is_the_one_that_the_vendor_documents(name: str) -> None:
    """No figure is read from another one's series, twice, or not at all."""
    case = CASES[name]
    table = {path: Answer(body) for path, body in case.bodies.items()}
    reading: EngineReading = added_up(read(adapter(case.engine).poll(0.0), table))
    expected = dict(figures(oracle(case.engine).expected(case.bodies)))
    assert dict(figures(reading)) == pytest.approx(expected, rel=1e-9)


def test_every_engine_was_captured_idle_and_under_load() -> None:
    """A figure that is always 0 would prove little."""
    for engine in ENGINES:
        assert {"idle", "load"} <= set(states(engine))
