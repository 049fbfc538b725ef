"""Ollama: /api/ps at every poll, /api/version once a minute, and its runners where known.

Ollama itself reports no running or queued requests. The `llama-server` children it starts do, on
loopback ports of their own, and they are polled as any llama.cpp server is.
"""

from collections.abc import Generator, Sequence

from tokentop.domain.engines.readings import EngineKind, EngineReading
from tokentop.domain.numbers import total
from tokentop.domain.readings import Failure
from tokentop.sources import json_fields as values
from tokentop.sources.engines.answers import has_version, text_of, version_of
from tokentop.sources.engines.llamacpp import LlamaCpp
from tokentop.sources.engines.protocol import (
    Answer,
    Answers,
    Hints,
    Paths,
    PollProtocol,
    Throttle,
    refused,
)
from tokentop.sources.engines.slots import best_slots
from tokentop.sources.engines.spec import CommandLine, EngineSpec, Signature

LOADED = "/api/ps"
VERSION = "/api/version"
ROOT = "/"

MAX_RUNNERS = 16
RUNNER = Hints(one_pool=False)  # it is always started with -np
NAMES_ONLY = "Ollama reports no running requests; its runner does, to users who see its process."


class Ollama:
    """One Ollama server with the models it holds."""

    kind: EngineKind = "ollama"

    def __init__(self, hints: Hints = Hints()) -> None:  # noqa: B008  (a frozen value)
        self._hints = hints
        self._seldom = Throttle()
        self._version: str | None = None

    def poll(self, now: float) -> PollProtocol:
        rare: Paths = (VERSION,) if self._seldom.due(now) else ()
        answers = yield (LOADED, *rare)
        self._remember(answers.get(VERSION), now)
        loaded = answers[LOADED]
        if isinstance(loaded, Failure):
            return self._failed(loaded)
        try:
            blank = self._loaded(loaded)
        except values.BadData as problem:
            return Failure("bad-data", f"{LOADED}: {problem}")
        readings = yield from _runners(self._hints.runners[:MAX_RUNNERS], now)
        return self._with_runners(blank, readings)

    def _remember(self, answer: Answer | Failure | None, now: float) -> None:
        version = version_of(answer)
        if version is not None:
            self._version = version
            self._seldom.done(now)

    def _failed(self, failure: Failure) -> EngineReading | Failure:
        if failure.status == 503:  # "server busy": its queue is full
            return EngineReading("ollama", version=self._version, back_pressure=True)
        return refused(failure, "ollama")

    def _loaded(self, answer: Answer) -> EngineReading:
        listed = values.rows(values.mapping(values.load(answer.body)), "models")
        models = [values.Fields(row) for row in listed if isinstance(row, dict)]
        names = tuple(name for m in models if (name := m.text("models", "name", "model")))
        sizes = [size for m in models if (size := m.count("vram_bytes", "size_vram")) is not None]
        return EngineReading(
            "ollama",
            version=self._version,
            model=names[0] if names else None,
            models=names,
            vram_bytes=sum(sizes) if len(sizes) == len(models) else None,
            bad=tuple(dict.fromkeys(name for m in models for name in m.bad)),
        )

    def _with_runners(self, blank: EngineReading, found: Sequence[EngineReading]) -> EngineReading:
        reported = total(r.max_slots for r in found)
        each = self._hints.argv_slots  # OLLAMA_NUM_PARALLEL is per loaded model
        hints = self._hints._replace(argv_slots=each and each * max(1, len(blank.models or ())))
        slots, source = best_slots(reported, hints, None)
        blank = blank._replace(max_slots=slots, slots_source=source)
        if not found:
            return blank._replace(health="names-only", advice=NAMES_ONLY) if blank.models else blank
        usage = [r.kv_cache for r in found if r.kv_cache is not None]
        steps = [r.slots for r in found if r.slots is not None]
        return blank._replace(
            active=total(r.active for r in found),
            queued=total(r.queued for r in found),
            kv_cache=max(usage, default=None),
            kv_estimated=bool(usage),
            slots=tuple(step for some in steps for step in some) if steps else None,
            bad=tuple(dict.fromkeys((*blank.bad, *(name for r in found for name in r.bad)))),
        )


def _runners(
    origins: tuple[str, ...], now: float
) -> Generator[Paths, Answers, list[EngineReading]]:
    """Each runner's own reading, its slots named by its address; failing ones are left out."""
    found: list[EngineReading] = []
    for origin in origins:
        reading = yield from _at_origin(origin, LlamaCpp(RUNNER).poll(now))
        if isinstance(reading, EngineReading) and reading.health == "online":
            steps = reading.slots
            if steps is not None:
                steps = tuple(s._replace(task=f"{origin}{s.task}") for s in steps)
            found.append(reading._replace(slots=steps))
    return found


def _at_origin(origin: str, protocol: PollProtocol) -> PollProtocol:
    """The same protocol with the server at another origin."""
    paths = next(protocol)
    while True:
        answers = yield tuple(origin + path for path in paths)
        try:
            paths = protocol.send({path: answers[origin + path] for path in paths})
        except StopIteration as ended:
            reading: EngineReading | Failure = ended.value
            return reading


def _is_ollama(answers: Answers) -> bool:
    return has_version(answers.get(VERSION)) and text_of(answers.get(ROOT)) == "Ollama is running"


SPEC = EngineSpec(
    "ollama",
    Ollama,
    port=11434,
    command=CommandLine(
        ("ollama",),
        subcommands=("serve", "runner"),
        runner="runner",
        slots_variable="OLLAMA_NUM_PARALLEL",
        address_variable="OLLAMA_HOST",
    ),
    signature=Signature(
        first=(VERSION,),
        then=(ROOT,),
        only_after=VERSION,
        recognise=_is_ollama,
        metrics_spared=("library",),  # the owner that Ollama names; it has no /metrics
    ),
    runner_kind="llamacpp",
)
