"""The last half hour of every engine, small enough for hundreds: three floats a round each."""

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping

from tokentop.domain.snapshot_engines import SILENT_STATES, Engine
from tokentop.named_tuple import NamedTuple

MOST = 450  # rounds kept: half an hour at 4 s
MOST_ABSENT = 64  # engines kept that are in the snapshot no longer: names may come and go for ever


class Trends(NamedTuple):
    """One engine's kept rounds, oldest first; None where unknown. `span_s` is their age.

    `first` counts the rounds that were dropped before them.
    """

    tokens_per_s: tuple[float | None, ...] = ()
    queued: tuple[float | None, ...] = ()
    kv_cache: tuple[float | None, ...] = ()
    span_s: float = 0.0
    first: int = 0


class EngineHistory:
    """Rounds in rising time; an engine that is gone is forgotten with its last round.

    Of those that are in the snapshot no longer the last MOST_ABSENT are kept.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._times: array[float] = array("d")
        self._dropped = 0
        self._rings: dict[str, tuple[array[float], array[float], array[float]]] = {}
        self._absent: dict[str, None] = {}  # in the order in which they went

    def add(self, t: float, engines: Iterable[Engine]) -> None:
        """Keep one round at monotonic time `t`; the same time again mends the round."""
        if self._times and t <= self._times[-1]:
            self._drop_last()
        said = {engine.id: engine for engine in engines}
        for name in [name for name in said if name not in self._rings]:
            blank = [math.nan] * len(self._times)
            self._rings[name] = (array("f", blank), array("f", blank), array("f", blank))
        self._note_absent(said)
        self._times.append(t)
        for name, rings in self._rings.items():
            for ring, value in zip(rings, _figures(said.get(name)), strict=True):
                ring.append(math.nan if value is None else value)
        self._forget()

    def trends(self, name: str, until: float = math.inf) -> Trends:
        """What is kept of one engine up to a moment; empty where it is not known."""
        rings, end = self._rings.get(name), bisect_right(self._times, until)
        if rings is None or not end:
            return Trends()
        tokens, queued, kv = (tuple(None if v != v else v for v in ring[:end]) for ring in rings)
        return Trends(tokens, queued, kv, self._times[end - 1] - self._times[0], self._dropped)

    def _note_absent(self, said: Mapping[str, Engine]) -> None:
        self._absent = {name: None for name in self._absent if name not in said}
        self._absent |= {n: None for n in self._rings if n not in said and n not in self._absent}
        for name in list(self._absent)[:-MOST_ABSENT]:
            del self._rings[name], self._absent[name]

    def _drop_last(self) -> None:
        self._times.pop()
        for ring in self._all():
            ring.pop()

    def _forget(self) -> None:
        if len(self._times) > self._most:
            del self._times[0]
            self._dropped += 1
            for ring in self._all():
                del ring[0]
            gone = [n for n, rings in self._rings.items() if all(v != v for r in rings for v in r)]
            for name in gone:
                del self._rings[name]
                self._absent.pop(name, None)

    def _all(self) -> Iterable["array[float]"]:
        return (ring for rings in self._rings.values() for ring in rings)


def _figures(engine: Engine | None) -> tuple[float | None, float | None, float | None]:
    if engine is None or engine.state in SILENT_STATES:
        return None, None, None
    return engine.generation_tokens_per_s, engine.queued, engine.kv_cache
