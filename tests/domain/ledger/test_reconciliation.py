"""Engines' counters by the minute, and the ledger held against them."""

import pickle

from tests.domain.ledger.examples import HOUR_US, NOON_US
from tokentop.domain.ledger.counting import Counter, Stretch, record
from tokentop.domain.ledger.entry import Link
from tokentop.domain.ledger.event import MINUTE_US
from tokentop.domain.ledger.reconciliation import Claim, Hour, Reconciliation
from tokentop.domain.ledger.record import recorded
from tokentop.domain.snapshot_engines import Engine, TokensSeen

NOON = NOON_US // MINUTE_US
HOUR = NOON_US // HOUR_US
URL = "http://127.0.0.1:8000"


def engine(generated: int | None, **values: object) -> Engine:
    """One vLLM that has generated so many tokens since it was first read."""
    seen = None if generated is None else TokensSeen(None, generated)
    plain = {"id": "vllm@127.0.0.1:8000", "kind": "vllm", "url": URL, "model": "org/Tiny",
             "state": "online", "tokens_seen": seen}  # fmt: skip
    return Engine(**{**plain, **values})  # type: ignore[arg-type]


def followed(*moments: tuple[float, Engine]) -> list[Stretch]:
    """What ended, of an engine at so many minutes after noon."""
    counter, found = Counter(), []
    for minutes, one in moments:
        found += counter.follow([one], NOON_US + round(minutes * MINUTE_US))
    return found


def test_a_stretch_has_what_was_gained_between_whole_minutes() -> None:
    """None goes past a tenth minute, so that none goes past an hour."""
    moments = [(0.5, engine(100)), (3.2, engine(150)), (9.9, engine(190)), (10.1, engine(200)),
               (19.0, engine(260)), (20.0, engine(300))]  # fmt: skip
    first, second = followed(*moments)
    assert first == Stretch("vllm@127.0.0.1:8000", "org/Tiny", NOON, NOON + 10, 100,
                            "127.0.0.1:8000")  # fmt: skip
    assert (second.since, second.until, second.generated) == (NOON + 10, NOON + 20, 100)


def test_what_cannot_be_counted_is_not_compared() -> None:
    """A lower bound, a router, another model, an engine that was away."""
    later = (10.0, engine(200))
    bound = engine(100, tokens_seen=TokensSeen(None, 100, True))
    assert followed((0.0, bound), later) == []
    assert followed((0.0, engine(100, router=True)), (10.0, engine(200, router=True))) == []
    assert followed((0.0, engine(100, model="other")), later) == []
    assert followed((0.0, engine(100)), (5.0, engine(100, state="offline")), later) == []
    assert followed((0.0, engine(None)), later) == []


def stretch(generated: int, since: int = NOON, **values: object) -> Stretch:
    plain = {"engine": "node-a", "model": "org/Tiny", "since": since, "until": since + 10,
             "generated": generated, "address": "127.0.0.1:8000"}  # fmt: skip
    return Stretch(**{**plain, **values})  # type: ignore[arg-type]


def test_tokens_that_nobody_claims_and_those_claimed_beyond() -> None:
    """By the engine's address or name, else by the model's name without its prefix."""
    found = Reconciliation()
    found.count(stretch(100))
    found.count(stretch(50, NOON + 60, engine="node-b", model="Other", address="127.0.0.1:9000"))
    found.claim(Claim(NOON + 1, "127.0.0.1:8000", "public-name", 30))
    found.claim(Claim(NOON + 2, "node-a", None, 20))
    found.claim(Claim(NOON + 9, None, "openai/tiny", 10))
    found.claim(Claim(NOON + 61, "node-b", None, 80))
    assert list(found.hours()) == [
        Hour(HOUR, "org/Tiny", 100, 60, 10), Hour(HOUR + 1, "Other", 50, 80, 10)
    ]  # fmt: skip
    first, second = found.hours()
    assert (first.unattributed, first.overclaimed) == (40, 0)
    assert (second.unattributed, second.overclaimed) == (0, 30)
    assert found.differences() == (40, 30)


def test_claims_of_uncounted_minutes_and_of_other_models_are_not_compared() -> None:
    found = Reconciliation()
    found.count(stretch(100))
    found.claim(Claim(NOON - 1, "node-a", None, 5000))
    found.claim(Claim(NOON + 10, "node-a", None, 5000))
    found.claim(Claim(NOON + 5, "api.openai.com", "gpt-4o", 5000))
    assert found.differences() == (100, 0)
    assert Reconciliation().differences() is None


def test_made_up_names_take_no_memory_and_spoil_no_figure() -> None:
    """A day of requests for a model that is called otherwise each time."""
    found = Reconciliation()
    found.count(stretch(100))
    for number in range(100_000):
        found.claim(Claim(NOON + number % 1440, f"made-up-{number}", f"model-{number}", 5000))
    found.claim(Claim(NOON + 1, "127.0.0.1:8000", "public-name", 30))
    found.claim(Claim(NOON + 2, None, "openai/tiny", 10))
    assert len(pickle.dumps(found)) < 4_000_000
    assert found.differences() == (60, 0)


def test_a_request_across_the_hour_is_made_up_for() -> None:
    """It is claimed when it began, and generated on both sides."""
    found = Reconciliation()
    found.count(stretch(60, NOON + 50))
    found.count(stretch(40, NOON + 60))
    found.claim(Claim(NOON + 59, "node-a", None, 100))
    assert [(each.unattributed, each.overclaimed) for each in found.hours()] == [(0, 40), (40, 0)]
    assert found.differences() == (0, 0)


def test_a_record_is_read_back_as_it_was() -> None:
    one = stretch(100)
    entry = recorded(record(one), link=Link("a", 1, NOON_US), people={})
    found = Reconciliation()
    found.take([entry])
    assert list(found.hours()) == [Hour(HOUR, "org/Tiny", 100, 0, 10)]
    assert entry.generated is None  # it is in no sum of usage
