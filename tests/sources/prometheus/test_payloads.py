"""The captured pages through a Prometheus server: the same figures as when they are read directly.

Queries are evaluated over what prometheus_client reads of the pages (promql.py), and what our
reading makes of the answers is compared with the vendors' definitions (tests/payloads).
"""

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.payloads import ENGINES, answers, states
from tests.payloads.reader import numbered
from tests.sources.prometheus.asked import AT, answer
from tests.sources.prometheus.promql import WINDOW_S, Row, Server, quantile, scraped
from tokentop.domain.engines.fleet_readings import FleetEngine, FleetReading
from tokentop.domain.engines.readings import Counters, EngineReading, Histogram, Histograms
from tokentop.sources.prometheus.fleet import parse
from tokentop.sources.prometheus.queries import queries

METRICS = "/metrics"
AGE_S = 7.5
FROM_ROUTERS = (
    "prompt_tokens",
    "generation_tokens",
    "requests",
    "error",
)  # the rest is the engines' own

Vary = Callable[[str, bytes], bytes]


def as_captured(_: str, body: bytes) -> bytes:
    return body


def targets(vary: Vary) -> Iterator[tuple[str, str, dict[str, bytes]]]:
    """Engine, instance, and the answers that the expected figures are taken from."""
    for engine in ENGINES:
        oracle = importlib.import_module(f"tests.payloads.{engine}.expected")
        paths = [path for table in oracle.TABLES.values() for path in table]
        for state in states(engine):
            found = answers(engine, state, [p for p in paths if p not in ("/v1/loads", "/slots")])
            if any(path.endswith(METRICS) for path in found):
                bodies = {path: vary(path, body) for path, body in found.items()}
                yield engine, f"{engine}-{state}:80", bodies


def fleet(vary: Vary) -> tuple[FleetReading, dict[str, EngineReading]]:
    """What our reading makes of all pages at once, and what is expected of each, by instance."""
    rows: list[tuple[Row, float]] = []
    expected = {}
    for engine, instance, bodies in targets(vary):
        page = next(body for path, body in bodies.items() if path.endswith(METRICS))
        rows += scraped(page, AT - AGE_S, job=engine, instance=instance)
        rows.append((Row({"__name__": "up", "job": engine, "instance": instance}, 1.0), AT))
        oracle = importlib.import_module(f"tests.payloads.{engine}.expected")
        expected[instance] = oracle.expected(bodies)
    server = Server(rows)
    found = parse(
        {n: answer(*map(tuple, server.query(promql))) for n, promql in queries(None)}, None
    )
    assert isinstance(found, FleetReading)
    return found, expected


@pytest.fixture(scope="module", params=[as_captured, numbered], ids=["captured", "numbered"])
def read(request: pytest.FixtureRequest) -> tuple[FleetReading, dict[str, EngineReading]]:
    return fleet(request.param)


def test_every_captured_server_is_an_engine_of_its_kind(read: Any) -> None:
    """None is missing, none is there twice, and none is taken for another kind."""
    found, expected = read
    assert {e.instance: e.kind for e in found.engines} == {i: e.kind for i, e in expected.items()}
    assert len(found.engines) == len(expected)
    assert {engine.age_s for engine in found.engines} == {AGE_S}


def test_gauges_are_those_that_the_vendors_document(read: Any) -> None:
    """What runs and waits, the cache, and what a router spent."""
    found, expected = read
    for engine in found.engines:
        truth, reading = expected[engine.instance], engine.reading
        for name in ("active", "queued", "health", "router", "spend"):
            assert getattr(reading, name) == getattr(truth, name), (engine.instance, name)
        assert reading.kv_cache == pytest.approx(truth.kv_cache), engine.instance
        assert engine.model is None or engine.model == truth.model


def test_rates_are_those_of_the_documented_counters(read: Any) -> None:
    """Tokens and events of the window, which began at 0."""
    found, expected = read
    for engine in found.engines:
        truth = expected[engine.instance].counters
        if engine.kind == "litellm":
            truth = Counters(**{name: getattr(truth, name) for name in FROM_ROUTERS})
        assert counted(engine)._asdict() == pytest.approx(truth._asdict()), engine.instance


def counted(engine: FleetEngine) -> Counters:
    """What the window counted, with its tokens, whose rates stand by themselves."""
    rates = engine.rates
    prompt, generated = rates.prompt_tokens_per_s, rates.generation_tokens_per_s
    return rates.window._replace(
        prompt_tokens=None if prompt is None else prompt * WINDOW_S,
        generation_tokens=None if generated is None else generated * WINDOW_S,
    )


def test_totals_are_those_of_the_documented_counters(read: Any) -> None:
    """Since the server started: preemptions, and how requests ended."""
    found, expected = read
    for engine in found.engines:
        truth, totals = expected[engine.instance].counters, engine.reading.counters
        assert totals.preemptions == truth.preemptions
        if truth.stop is not None:
            names = ("requests", "stop", "length", "abort", "error")
            assert [getattr(totals, n) for n in names] == [getattr(truth, n) for n in names]


def test_latencies_are_of_the_documented_histograms(read: Any) -> None:
    """Medians, 95th and 99th percentiles of each engine; none where nothing was observed."""
    found, expected = read
    for engine in found.engines:
        router = engine.kind == "litellm"
        for name, shown in engine.latencies._asdict().items():
            truth = () if router else getattr(expected[engine.instance].latencies, name)
            wanted = tuple(at(truth, q) for q in (0.5, 0.95, 0.99))
            assert shown == pytest.approx(wanted), (engine.instance, name)


def at(histograms: tuple[Histogram, ...], q: float) -> float | None:
    """Of the one histogram that the oracle adds all label sets up to."""
    found = [quantile(q, list(each.buckets)) for each in histograms]
    return next((value for value in found if value >= 0), None)


def test_merged_histograms_hold_every_engines_observations(read: Any) -> None:
    """Over all replicas of a model; a router's are its engines' already."""
    found, expected = read
    engines = [truth for truth in expected.values() if not truth.router]
    for name in Histograms._fields:
        truths = [each for truth in engines for each in getattr(truth.latencies, name)]
        counts = [histogram.buckets[-1][1] for histogram in truths]
        merged = [histogram.buckets[-1][1] for histogram in getattr(found.latencies, name)]
        assert sum(merged) == pytest.approx(sum(counts))
