"""What engines' own counters say was generated, as records of the ledger: stretch by stretch."""

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import MINUTE_US
from tokentop.domain.ledger.record import Record
from tokentop.domain.snapshot_engines import Engine
from tokentop.domain.urls import split

STRETCH = 10  # minutes of one record; none goes past an hour's end


class Stretch(NamedTuple):
    """Tokens that one engine generated in the minutes [since, until), counted from 1970."""

    engine: str
    model: str
    since: int
    until: int
    generated: int
    address: str | None = None  # host and port, as gateways name it


def record(one: Stretch) -> Record:
    """The record of a stretch; the same one counts once."""
    details = {name: value for name, value in one._asdict().items() if name != "model"}
    return Record(
        kind="count",
        identity=f"count:{one.engine}:{one.since}",
        at_us=one.since * MINUTE_US,
        outcome="counted",
        model=one.model,
        details=details,
    )


def stretch(entry: Entry) -> Stretch:
    """What `record` was made of."""
    return Stretch(model=entry.model or "", **json.loads(entry.details or "{}"))


def bare(name: str) -> str:
    """`openai/Tiny-Llama` and `/models/tiny-llama` are the model tiny-llama."""
    return name.lower().rpartition("/")[2]


class _Begun(NamedTuple):
    engine: Engine
    since: int
    generated: int


class Counter:
    """Follows the engines of one collector. Routers are left out: theirs is the engines' traffic.

    A stretch begins and ends with a minute. One whose counter was reset, or is a lower bound, or
    whose model changed, is dropped: those minutes are not compared.
    """

    def __init__(self) -> None:
        self._begun: dict[str, _Begun] = {}
        self._minute = 0

    def follow(self, engines: Iterable[Engine], now_us: int) -> Iterator[Stretch]:
        """Take the engines as of now; yield the stretches that have ended."""
        minute = now_us // MINUTE_US
        if minute == self._minute:
            return
        self._minute = minute
        present = {each.id: each for each in engines if _counts(each)}
        for name in [*self._begun]:
            begun, now = self._begun[name], present.get(name)
            whole = (minute - begun.since) >= STRETCH or minute % STRETCH == 0
            if now is None or not _goes_on(begun, now):
                del self._begun[name]
            elif whole:
                yield _ended(begun, now, minute)
                del self._begun[name]
        for name, each in present.items():
            if name not in self._begun:
                self._begun[name] = _Begun(each, minute, _generated(each))


def _counts(engine: Engine) -> bool:
    seen = engine.tokens_seen
    known = seen is not None and seen.generated is not None and not seen.at_least
    return known and not engine.router and engine.model is not None and engine.state == "online"


def _generated(engine: Engine) -> int:
    assert engine.tokens_seen is not None
    return engine.tokens_seen.generated or 0


def _goes_on(begun: _Begun, now: Engine) -> bool:
    return now.model == begun.engine.model and _generated(now) >= begun.generated


def _ended(begun: _Begun, now: Engine, minute: int) -> Stretch:
    target = split(now.url or "")
    return Stretch(
        engine=now.name or now.id,
        model=now.model or "",
        since=begun.since,
        until=minute,
        generated=_generated(now) - begun.generated,
        address=None if target is None else f"{target.host}:{target.port}",
    )
