"""Conversions at the live rate, and the audit of two months, on a real ledger."""

from pathlib import Path

import pytest

from tests.domain.budgets.examples import rule
from tests.domain.ledger.examples import NOON_US, event
from tokentop.config.schema import Config, LedgerConfig
from tokentop.domain.replenishment.records import Offer, value
from tokentop.domain.snapshot import NextInstance
from tokentop.runtime.ledger import exchange, place
from tokentop.runtime.ledger.exchange import Refused
from tokentop.transport.ledger.database import LedgerError
from tokentop.views.ledger.booking import archive
from tokentop.views.ledger.call import Call
from tokentop.views.ledger.economy import audit

DAY_US = 86_400_000_000
FOUND = NextInstance("NVIDIA H100 SXM", provider="RunPod", usd_per_hour=5.989, source="offer")
OFFER = Offer("RunPod", "H100 SXM", 5_989_000, 5989)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = str(tmp_path / "ledger.sqlite3")
    budget = rule(who="alpha", unit="credits", period="total", limit=10_000.0)
    ledger = LedgerConfig(path=path, writer="a", time_zone="UTC")
    return Config(ledger=ledger, budgets=(budget,))


def test_credits_become_usd_at_what_a_gpu_costs_there(config: Config) -> None:
    """The H100 has 5.989 times the speed of the reference GPU: at 5.989 USD its hour an hour of the
    reference, which is 3,600 credits, costs one USD."""
    place.opened(config.ledger, {}, create=True).close()
    offer = exchange.offer_of(config, "runpod", FOUND)
    given, taken = exchange.convert(config, {}, "alpha", offer, "3600", NOON_US)
    assert (given.project, given.milli_credits, given.micro_usd) == (
        "alpha",
        -3_600_000,
        -1_000_000,
    )
    assert (taken.project, taken.milli_credits, taken.micro_usd) == (None, 3_600_000, 1_000_000)
    assert '"gpu_hour":5989000' in (taken.details or "")


def test_a_ledger_that_is_not_there_is_said(config: Config) -> None:
    with pytest.raises(LedgerError, match="there is no ledger at"):
        exchange.convert(config, {}, "alpha", OFFER, "5", NOON_US)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (None, "no live offer of runpod is known"),
        (FOUND._replace(source="default"), "no live offer"),
        (FOUND._replace(provider="vast.ai"), "no live offer"),
        (FOUND._replace(usd_per_hour=None), "no live offer"),
        (FOUND._replace(gpu="Abacus"), "the price list has no GPU like Abacus"),
    ],
)
def test_without_a_live_rate_nothing_is_converted(
    config: Config, found: NextInstance | None, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        exchange.offer_of(config, "runpod", found)


def test_the_audit_names_who_gained_by_smaller_tasks(config: Config) -> None:
    """In October alpha needed 10 tasks of 2 credits for 10 USD, in November 100 of 0.1 for 11;
    beta did in November what it did in October."""
    october, november = NOON_US - 31 * DAY_US, NOON_US - DAY_US
    db = place.opened(config.ledger, {}, create=True)
    rows = [
        ("alpha", october, 10, 20_000, 10), ("alpha", november, 100, 1000, 11),
        ("beta", october, 10, 20_000, 10), ("beta", november, 10, 20_000, 10),
    ]  # fmt: skip
    given = [
        event(identity=f"{project}:{at_us}:{number}", project=project, at_us=at_us, prompt=prompt,
              generated=0)
        for project, at_us, count, prompt, _ in rows
        for number in range(count)
    ]  # fmt: skip
    worth = [value(f"{row[0]}{row[1]}", row[0], row[4] * 1_000_000, row[1]) for row in rows]
    place.writer(db, config.ledger).append([*given, *worth], NOON_US)
    db.close()
    call = Call((), {}, config, {}, NOON_US + 20 * DAY_US)  # on 11 December
    head, row = audit(call)[0].splitlines()
    assert head.split()[:1] == ["project"]
    assert row.split() == ["alpha", "1.1", "0.5", "0.1", "2", "100", "10"]
    later = audit(call._replace(now_us=NOON_US + 60 * DAY_US))[0]
    assert later == "no project's velocity rose while its tasks shrank"


def test_the_audit_needs_nothing_that_may_be_archived(config: Config) -> None:
    """On the evening of 31 January it reads from 1 November on; October's may be archived."""
    november = NOON_US - 20 * DAY_US - DAY_US // 2  # 1 November, 0:00
    months = [(november - 2 * DAY_US, 3, 20_000), (november, 10, 20_000),
              (november + 30 * DAY_US, 100, 1000)]  # fmt: skip
    db = place.opened(config.ledger, {}, create=True)
    for at_us, count, prompt in months:
        given = [
            event(identity=f"{at_us}:{number}", project="alpha", at_us=at_us, prompt=prompt)
            for number in range(count)
        ]
        worth = value(f"worth:{at_us}", "alpha", 10_000_000, at_us)
        place.writer(db, config.ledger).append([*given, worth], at_us)
    db.close()
    evening = Call((), {"until": "93d"}, config, {}, november + 92 * DAY_US - 1)
    before = audit(evening)[0]
    assert before.splitlines()[1].split()[0] == "alpha"
    assert "entries 1 to 4 of a" in archive(evening)[0]
    assert audit(evening)[0] == before
