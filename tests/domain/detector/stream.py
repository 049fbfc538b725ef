"""Streams of ledger entries as tests need them."""

from collections.abc import Iterable, Iterator
from random import Random

from tests.domain.ledger.examples import NOON_US
from tokentop.domain.detector.detector import Detector
from tokentop.domain.detector.flags import Raised
from tokentop.domain.detector.records import classified
from tokentop.domain.ledger.entry import Entry, Link
from tokentop.domain.ledger.record import recorded
from tokentop.domain.snapshot_ledger import Classification

SECOND_US = 1_000_000


def entry(number: int, cost: int | None, at_s: float = 0.0, **values: object) -> Entry:
    """A request of alpha's that cost so many milli-credits, booked as it ended."""
    at_us = NOON_US + int(at_s * SECOND_US)
    usual = {
        "writer": "a", "seq": number, "kind": "usage", "identity": f"test:{number}",
        "at_us": at_us, "booked_us": at_us, "feed": "test", "outcome": "success", "estimated": 0,
        "project": "alpha", "model": "own", "milli_credits": cost,
    }  # fmt: skip
    return Entry(**{**usual, **values})  # type: ignore[arg-type]


def session(
    name: str, costs: Iterable[int], first: int, at_s: float, **values: object
) -> Iterator[Entry]:
    """The requests of one conversation, a second apart."""
    for number, cost in enumerate(costs):
        yield entry(first + number, cost, at_s + number, session=name, **values)


def verdict(flag: Raised, outcome: Classification, at_s: float) -> Entry:
    """What a person decided about a flag, as it stands in the ledger."""
    at_us = NOON_US + int(at_s * SECOND_US)
    return recorded(classified(flag, outcome, at_us), link=Link("a", 1, at_us), people={})


def learned(detector: Detector, costs: Iterable[int], at_s: float = -90_000.0) -> None:
    """Requests of the past, which ended long before the first second."""
    entries = (entry(number, cost, at_s, identity=f"past:{number}")
               for number, cost in enumerate(costs))  # fmt: skip
    assert detector.book(entries) == ()


def ordinary(seed: int, count: int) -> list[int]:
    """Costs as requests have them: within a factor of two of each other."""
    random = Random(seed)
    return [random.randint(700, 1400) for _ in range(count)]
