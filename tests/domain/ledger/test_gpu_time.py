"""GPU time of requests, from what the engine that served them held and did meanwhile."""

import json

import pytest

from tests.domain.economy.test_valuation import shipped
from tests.domain.ledger.examples import NOON_US, event
from tests.domain.ledger.test_reconciliation import engine
from tokentop.domain.economy.valuation import value
from tokentop.domain.economy.valuation_explained import explained
from tokentop.domain.ledger.entry import Link, usage
from tokentop.domain.ledger.event import UsageEvent
from tokentop.domain.ledger.gpu_time import GpuTime
from tokentop.domain.snapshot import Gpu, Process, Snapshot
from tokentop.domain.snapshot_engines import Engine

SECOND_US = 1_000_000
ID = "vllm@127.0.0.1:8000"
GIB = 2**30
CARD = Gpu(
    name="NVIDIA GeForce RTX 4090", vram_total_bytes=24 * GIB,
    processes=(Process(1, vram_bytes=18 * GIB, engine=ID), Process(2, vram_bytes=2 * GIB)),
)  # fmt: skip


def followed(active: list[int], gpus: int = 1, **values: object) -> GpuTime:
    """An engine on so many cards, polled every four seconds from noon on."""
    found = GpuTime()
    for number, running in enumerate(active):
        one = engine(None, active=running, **values)
        box = Snapshot(host="gpu-box", engines=(one,), gpus=(CARD,) * gpus)
        found.follow(box, NOON_US + number * 4 * SECOND_US)
    return found


def request(seconds: float = 8, **values: object) -> UsageEvent:
    served = {"engine": "127.0.0.1:8000", "model": "tiny", "at_us": NOON_US + SECOND_US,
              "duration_ms": round(seconds * 1000)}  # fmt: skip
    return event(**{**served, **values})  # type: ignore[arg-type]


def test_the_gpus_time_is_split_among_the_requests_there_at_once() -> None:
    """Four at a time on two cards: a quarter of two cards' eight seconds each, as is said."""
    found = followed([3] * 4, gpus=2, queued=1).measured(request())
    assert (found.gpu, found.gpu_ms, found.vram_share) == (CARD.name, 4000, 750)
    valued = value(found, shipped())
    assert valued.milli_credits == 3000  # of a second of the whole card each, three quarters held
    entry = usage(found, link=Link("a", 1, 0), people={"ada": "x"}, value=(3000, "v"))
    assert valued.inputs is not None
    assert valued.inputs["by"] == "compute"
    rows = {what: much for what, much, _ in explained(entry, valued.inputs)}
    assert rows["GPU-seconds"] == "4"
    assert rows["seconds from begin to end"] == "8"
    assert rows["GPUs of the engine"] == "2"
    assert rows["requests at once, run or queued"] == "4"
    assert rows["credits"] == "3"


def test_all_requests_together_take_no_more_than_the_time_there_was() -> None:
    """One alone for 8 s, then with three others for 8 s: 8 + 2 s, and 2 s for each of these."""
    polls = followed([1, 1, 4, 4])
    long = polls.measured(request(15.999, at_us=NOON_US))
    short = polls.measured(request(7.999, at_us=NOON_US + 8 * SECOND_US))
    assert long.gpu_ms == pytest.approx(10_000, rel=0.01)
    assert short.gpu_ms == pytest.approx(2000, rel=0.01)


def test_a_request_between_two_polls_had_the_engine_to_itself() -> None:
    assert followed([0, 0]).measured(request(0.5)).gpu_ms == 500


@pytest.mark.parametrize("name", ["localhost:8000", "gpu-box:8000", ID, None])
def test_an_engine_goes_by_its_names_or_by_its_model_alone(name: str | None) -> None:
    assert followed([1] * 4).measured(request(engine=name)).gpu_ms == 8000


@pytest.mark.parametrize(
    "values",
    [
        {"engine": "other-box:8000"},
        {"engine": None, "model": "other"},
        {"engine": None, "model": None},
        {"duration_ms": None},
        {"outcome": "failure"},
        {"outcome": "cache-hit"},
        {"at_us": NOON_US - SECOND_US},
        {"duration_ms": 600_000},
    ],
)
def test_what_was_not_seen_is_not_measured(values: dict[str, object]) -> None:
    """Another engine, nothing that it worked on, a time before it was polled or after."""
    one = request(**values)  # type: ignore[arg-type]
    assert followed([1] * 4).measured(one) is one


def test_what_the_feed_reports_itself_stays() -> None:
    one = request(gpu="RTX 4090", gpu_ms=7)
    assert followed([1] * 4).measured(one) is one


def test_two_engines_of_one_model_are_told_apart_by_address_alone() -> None:
    second = engine(None, active=1, id="other", url="http://127.0.0.1:8001")
    card = CARD._replace(processes=(Process(3, vram_bytes=GIB, engine="other"),))
    first = engine(None, active=1)
    both = GpuTime()
    both.follow(Snapshot(engines=(first, second), gpus=(CARD, card)), NOON_US)
    assert both.measured(request(engine=None)).gpu_ms is None
    assert both.measured(request(engine="127.0.0.1:8001")).vram_share == 42  # 1 of 24 GiB


@pytest.mark.parametrize(
    "cards",
    [
        (),
        (CARD._replace(processes=None),),
        (CARD, CARD._replace(name="NVIDIA L4")),
    ],
)
def test_without_gpus_of_one_kind_nothing_is_measured(cards: tuple[Gpu, ...]) -> None:
    one: Engine = engine(None, active=1)
    found = GpuTime()
    found.follow(Snapshot(engines=(one,), gpus=cards), NOON_US)
    assert found.measured(request()).gpu_ms is None


def test_a_better_report_that_comes_later_keeps_what_was_measured() -> None:
    """Its details go along, so that the entry that corrects it opens into the same figures."""
    from tokentop.domain.ledger.reports import merged

    booked = followed([2] * 4).measured(request(feed="litellm"))
    after = merged(booked, event(feed="claude-code", session="s", user=None))
    assert after.session == "s"
    assert after.gpu_ms == 4000
    assert json.loads(after.details or "") == {"gpus": 1, "requests": 2000}
