"""GPU time of requests on engines that hold GPUs of this host, from what was polled meanwhile.

An engine's GPUs work for all of its requests together, so each moment is split evenly among those
that run or wait: GPU time = duration x GPUs / requests at once. Over all requests that adds up to
the time in which the engine had any, as far as polls saw them.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from tokentop.domain.economy.valuation import rounded
from tokentop.domain.ledger.counting import bare
from tokentop.domain.ledger.entry import canonical
from tokentop.domain.ledger.event import HOUR_US, MINUTE_US, UsageEvent
from tokentop.domain.snapshot import Gpu, Snapshot
from tokentop.domain.snapshot_engines import Engine
from tokentop.domain.urls import is_loopback, split

KEPT_US = HOUR_US  # what began earlier, or is reported later, is not measured
GAP_US = MINUTE_US  # a longer one between two polls is not measured
_WORKED = ("success", "aborted")  # the others were refused, or answered from a cache


class Held(NamedTuple):
    """GPUs of one name that an engine holds, and thousandths of their VRAM that it holds."""

    gpu: str
    gpus: int
    vram_share: int | None


class _Moment(NamedTuple):
    at_us: int
    requests: int


class _Seen:
    """An engine as it was polled last, and how many requests it had at each poll."""

    def __init__(self) -> None:
        self.held: Held | None = None
        self.names: frozenset[str] = frozenset()
        self.models: frozenset[str] = frozenset()
        self.moments: list[_Moment] = []

    def take(self, snapshot: Snapshot, engine: Engine, held: Held, now_us: int) -> None:
        self.held = held
        self.names = frozenset(map(bare, _names(engine, snapshot.host)))
        models = chain(engine.models or (), engine.aliases, engine.adapters, [engine.model or ""])
        self.models = frozenset(map(bare, models))
        del self.moments[: bisect_left(self.moments, now_us - KEPT_US, key=_at)]
        requests = (engine.active or 0) + (engine.queued or 0)
        self.moments.append(_Moment(now_us, max(1, requests)))

    def served(self, event: UsageEvent) -> bool:
        """Whether an event is of this engine: named by it, or its model where it names none."""
        if event.engine is not None:
            return bare(event.engine) in self.names
        return event.model is not None and bare(event.model) in self.models

    def at_once(self, since_us: int, until_us: int) -> int | None:
        """Requests at once, in thousandths: the harmonic mean, as time is split by their number."""
        first = bisect_right(self.moments, since_us, key=_at) - 1
        during = self.moments[max(0, first) : bisect_right(self.moments, until_us, key=_at)]
        if first < 0 or since_us - during[0].at_us > GAP_US or until_us - during[-1].at_us > GAP_US:
            return None
        return round(1000 * len(during) / sum(1 / each.requests for each in during))


class GpuTime:
    """Follows the engines of one collector. Times are Unix microseconds."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def follow(self, snapshot: Snapshot, now_us: int) -> None:
        """Take a snapshot."""
        for engine in snapshot.engines:
            held = _held(engine, snapshot.gpus)
            if held is not None and engine.state == "online" and engine.active is not None:
                seen = self._seen.setdefault(engine.id, _Seen())
                seen.take(snapshot, engine, held, now_us)
        gone = [name for name, one in self._seen.items()
                if one.moments[-1].at_us < now_us - KEPT_US]  # fmt: skip
        for name in gone:
            del self._seen[name]

    def measured(self, event: UsageEvent) -> UsageEvent:
        """The event with its GPU time, where it was served here and none is reported."""
        if event.gpu_ms is not None or event.duration_ms is None or event.outcome not in _WORKED:
            return event
        found = [one for one in self._seen.values() if one.served(event)]
        if len(found) != 1 or found[0].held is None:
            return event
        held, until_us = found[0].held, event.at_us + event.duration_ms * 1000
        requests = found[0].at_once(event.at_us, until_us)
        if requests is None:
            return event
        details = canonical({"gpus": held.gpus, "requests": requests}).decode()
        return event._replace(
            gpu=held.gpu,
            gpu_ms=rounded(event.duration_ms * held.gpus * 1000, requests),
            vram_share=held.vram_share,
            details=details,
        )


def _at(moment: _Moment) -> int:
    return moment.at_us


def _held(engine: Engine, pool: Iterable[Gpu]) -> Held | None:
    """None where it holds no GPU, or GPUs that differ or have no name."""
    gpus = [
        (gpu, [each for each in gpu.processes or () if each.engine == engine.id]) for gpu in pool
    ]
    gpus = [(gpu, own) for gpu, own in gpus if own]
    names = {gpu.name for gpu, _ in gpus}
    name = names.pop() if len(names) == 1 else None
    if name is None:
        return None
    used = [each.vram_bytes or 0 for _, own in gpus for each in own]
    whole = [gpu.vram_total_bytes or 0 for gpu, _ in gpus]
    share = min(1000, rounded(1000 * sum(used), sum(whole))) if all((*used, *whole)) else None
    return Held(name, len(gpus), share)


def _names(engine: Engine, host: str) -> Iterator[str]:
    """What a gateway may call it: its name, or its address by one of the names of this host."""
    yield engine.name or engine.id
    target = split(engine.url or "")
    if target is None:
        return
    local = ("127.0.0.1", "localhost", host) if is_loopback(target.host) else ()
    for name in {target.host, *local}:
        yield f"{name}:{target.port}"
