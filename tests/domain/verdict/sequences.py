"""Sequences of what engines answered, for Hypothesis, and the collector that is given them."""

import json
from itertools import accumulate
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tokentop.collect.collector import Collector
from tokentop.config.schema import Config, EngineConfig, ServiceConfig
from tokentop.domain.engines.readings import (
    CounterSets,
    EngineReading,
    Histogram,
    Histograms,
    SlotProgress,
)
from tokentop.domain.readings import Failure
from tokentop.domain.snapshot import Snapshot
from tokentop.sources.aither.endpoints import default_url
from tokentop.transport.http.messages import Reply

INTERVAL_S = 4.0
START = 1000.0
NOON = 1_763_726_400.0
PORTS = (8000, 8001, 8002)
QUEUE = "genesis/llm_queue"
MODELS = ("Qwen3-32B", "Llama-8B")

FAILURES = (
    Failure("refused", "nothing listens there"),
    Failure("timeout", "no complete answer within 2.5 s"),
    Failure("auth", "401", True, 401),
    Failure("bad-data", "no metrics page", True),
    Failure("http", "HTTP 500", False, 500),
)
_count = st.one_of(st.none(), st.integers(0, 80))
_HEALTH = ("online", "online", "online", "starting", "asleep", "no-metrics", "auth-required",
           "names-only")  # fmt: skip


class Found(NamedTuple):
    """One engine as discovery reports it."""

    kind: Any
    url: str
    pids: tuple[int, ...] = ()
    argv_slots: int | None = None
    model_hint: str | None = None
    runners: tuple[str, ...] = ()
    one_pool: bool | None = None
    kv_gpu_bytes: int | None = None


BOUNDS = (0.1, 1.0, float("inf"))
KEYS = ("a", "b", "c")
COUNTED = ("generation_tokens", "requests", "rejections", "preemptions", "stop", "abort")


@st.composite
def label_sets(draw: st.DrawFn) -> CounterSets:
    """Counters whose label sets come, go and fall."""
    values = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 5000), max_size=3)
    return CounterSets(**{n: tuple(sorted(draw(values).items())) for n in COUNTED})


@st.composite
def observations(draw: st.DrawFn) -> tuple[Histogram, ...]:
    """One latency's label sets, at any moment of their lives."""
    counts = draw(st.dictionaries(st.sampled_from(KEYS), st.lists(
        st.integers(0, 50), min_size=3, max_size=3), max_size=2))  # fmt: skip
    return tuple(
        Histogram(tuple(zip(BOUNDS, accumulate(map(float, steps)), strict=True)), key)
        for key, steps in sorted(counts.items())
    )


slot_tasks = st.lists(
    st.builds(
        SlotProgress,
        st.sampled_from(("/0/7", "/0/9", "/1/8", "/1/")),
        st.integers(0, 900),
        st.integers(0, 90),
    ),
    max_size=2,
    unique_by=lambda slot: slot.task[:3],
).map(tuple)


@st.composite
def readings(draw: st.DrawFn, port: int) -> EngineReading:
    """One good answer of the engine at `port`, which serves always the same model."""
    figures = draw(st.booleans())
    health = draw(st.sampled_from(_HEALTH))
    if not figures or health not in ("online", "asleep"):
        return EngineReading("vllm", model=MODELS[port % 2], health=health)
    sets = draw(label_sets())
    return EngineReading(
        "vllm",
        model=MODELS[port % 2],
        health=health,
        sets=sets,
        counters=sets.totals(),
        slots=draw(st.one_of(st.none(), st.none(), slot_tasks)),
        latencies=Histograms(ttft=draw(observations()), e2e=draw(observations())),
        epoch=draw(st.sampled_from((None, 1.0, 1.0, 2.0))),
        active=draw(_count),
        queued=draw(_count),
        max_slots=draw(st.one_of(st.none(), st.integers(1, 64))),
        slots_source="reported",
        kv_cache=draw(st.one_of(st.none(), st.floats(0, 1))),
        back_pressure=draw(st.sampled_from((None, None, False, True))),
    )


def answers(port: int) -> st.SearchStrategy[EngineReading | Failure]:
    return st.one_of(readings(port), st.sampled_from(FAILURES))


class Poll(NamedTuple):
    """What every source answered, or would have answered, at one poll."""

    engines: tuple[EngineReading | Failure, ...]
    queue: tuple[int | None, int | None, int | None, bool | None] | None = None


@st.composite
def polls(draw: st.DrawFn) -> Poll:
    engines = tuple(draw(answers(port)) for port in PORTS)
    queue = st.tuples(_count, _count, st.one_of(st.none(), st.integers(1, 48)),
                      st.sampled_from((None, False, True)))  # fmt: skip
    return Poll(engines, draw(st.one_of(st.none(), queue)))


sequences = st.lists(polls(), min_size=1, max_size=8)
gaps = st.lists(st.sampled_from((INTERVAL_S, INTERVAL_S, 20.0, 70.0)), min_size=8, max_size=8)


def collector(*, stack: bool) -> Collector:
    """One configured engine, two that were found, and the stack where it is wanted."""
    names = ("genesis",) if stack else ()
    services = tuple(ServiceConfig(n, default_url(n, False), configured=True) for n in names)
    named = (EngineConfig("mine", f"http://127.0.0.1:{PORTS[0]}", "vllm"),)
    return Collector(Config(engines=named, services=services, gpus=False), "box", False)


def record(subject: Collector, poll: Poll, now: float) -> Snapshot:
    """One round of answers of every source that a running program would poll now."""
    found = [Found("vllm", f"http://127.0.0.1:{port}") for port in PORTS[1:]]
    subject.engines().update_from_discovery(found, now=now)
    for port, answer in zip(PORTS, poll.engines, strict=True):
        if subject.engines().poll(_id(port), now) is not None:
            subject.engines().record(_id(port), answer, now, 0.01)
    for source in subject.sources:
        if subject.due(source.key, now):
            subject.record(source.key, _said(source.key, poll), now)
    return subject.snapshot(now, NOON + now - START)


def _id(port: int) -> str:
    return f"vllm@127.0.0.1:{port}"


def _said(key: str, poll: Poll) -> Reply | Failure:
    if poll.queue is None or key != QUEUE:
        return FAILURES[1]
    names = ("queued", "active", "max_slots", "back_pressure")
    body = {n: v for n, v in zip(names, poll.queue, strict=True) if v is not None}
    return Reply(200, json.dumps(body).encode())


def as_heard(rounds: list[tuple[float, Poll]], *, stack: bool) -> list[tuple[float, Poll]]:
    """The rounds with what a running program hears of them.

    Whoever failed three times is left in peace for a while: until then its last failure stands.
    """
    subject = collector(stack=stack)
    found = [Found("vllm", f"http://127.0.0.1:{port}") for port in PORTS[1:]]
    subject.engines().update_from_discovery(found, now=START)
    heard: list[tuple[float, Poll]] = []
    for now, poll in rounds:
        last = heard[-1][1] if heard else poll
        engines = list(last.engines)
        for at, port in enumerate(PORTS):
            if subject.engines().poll(_id(port), now) is not None:
                engines[at] = poll.engines[at]
                subject.engines().record(_id(port), poll.engines[at], now, 0.01)
        queue = last.queue
        for source in subject.sources:
            if subject.due(source.key, now):
                queue = poll.queue if source.key == QUEUE else queue
                subject.record(source.key, _said(source.key, poll), now)
        heard.append((now, Poll(tuple(engines), queue)))
    return heard


def as_the_app(rounds: list[tuple[float, Poll]], *, stack: bool) -> list[Snapshot]:
    """Every picture of one running collector."""
    subject = collector(stack=stack)
    return [record(subject, poll, now) for now, poll in rounds]


def as_one_shots(rounds: list[tuple[float, Poll]], *, stack: bool) -> list[Snapshot]:
    """Every picture of calls that each have what the one before left, through JSON."""
    shown, left = [], "{}"
    for now, poll in rounds:
        subject = collector(stack=stack)
        subject.restore(json.loads(left), now)
        shown.append(record(subject, poll, now))
        left = json.dumps(subject.dump(), allow_nan=False)
    return shown


def timed(sequence: list[Poll], pauses: list[float]) -> list[tuple[float, Poll]]:
    """The polls with their moments."""
    moments = [START]
    for pause in pauses:
        moments.append(moments[-1] + pause)
    return list(zip(moments, sequence, strict=False))
