"""The queue before the ledger: what is acknowledged, and when a sender has to wait."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import httpx
import pytest

from tests.cli.test_intake import cloud_event
from tests.domain.ledger.examples import NOW_US, event
from tests.servers.service import service
from tests.transport.ledger.test_ledger import valued
from tokentop.domain.ledger.entry import Entry
from tokentop.runtime.ledger import intake as module
from tokentop.runtime.ledger.intake import Intake, QueueFull
from tokentop.runtime.serve.guard import Rules
from tokentop.runtime.serve.usage import PATHS, UsageRoutes
from tokentop.transport.ledger import reader
from tokentop.transport.ledger.database import LedgerError, connect
from tokentop.transport.ledger.writer import Writer

PATIENCE_S = 20.0


class Opening:
    """Opens a ledger's writer, once it is let; may fail first."""

    def __init__(self, path: Path) -> None:
        self.path = str(path / "ledger.sqlite3")
        self.ready = threading.Event()
        self.ready.set()
        self.failures: list[Exception] = []

    def __call__(self) -> Writer:
        assert self.ready.wait(PATIENCE_S)
        if self.failures:
            raise self.failures.pop()
        return Writer(connect(self.path, create=True), "a", valued)


@pytest.fixture
def opening(tmp_path: Path) -> Opening:
    return Opening(tmp_path)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def intake(opening: Opening, said: list[str]) -> Iterator[Intake]:
    running = Intake(opening, lambda: NOW_US, said.append)
    yield running
    opening.ready.set()
    running.stop()


def test_subscribers_have_the_entries_before_the_sender_has_its_answer(
    intake: Intake, opening: Opening
) -> None:
    seen: list[Sequence[Entry]] = []
    intake.subscribe(seen.append)
    intake.start()
    intake.book([event(1), event(2)]).result(PATIENCE_S)
    assert [entry.identity for entry in seen[0]] == ["test:1", "test:2"]
    intake.book([event(1)]).result(PATIENCE_S)  # known: nothing new to follow
    assert len(seen) == 1
    db = connect(opening.path)
    assert [entry for entry, _ in reader.chain(db, "a")] == list(seen[0])
    db.close()


def test_a_subscriber_that_fails_costs_no_acknowledgement(intake: Intake, said: list[str]) -> None:
    def broken(_: Sequence[Entry]) -> None:
        raise KeyError("secret")

    intake.subscribe(broken)
    intake.start()
    intake.book([event(1)]).result(PATIENCE_S)
    assert [("KeyError" in text, "secret" in text) for text in said] == [(True, False)]


def test_a_sender_that_gives_up_costs_no_other(intake: Intake, opening: Opening) -> None:
    opening.ready.clear()
    intake.start()
    left = intake.book([event(1)])
    left.cancel()  # as a request that is cancelled does
    opening.ready.set()
    intake.book([event(2)]).result(PATIENCE_S)
    db = connect(opening.path)
    assert [entry.identity for entry, _ in reader.chain(db, "a")] == ["test:1", "test:2"]
    db.close()


def test_what_came_while_the_ledger_was_away_is_refused_and_the_next_is_booked(
    intake: Intake, opening: Opening, said: list[str]
) -> None:
    """Its failure is said once, however many batches it costs."""
    opening.failures = [LedgerError("the ledger is gone") for _ in range(3)]
    intake.start()
    for number in range(2):
        with pytest.raises(LedgerError, match="the ledger is gone"):
            intake.book([event(number)]).result(PATIENCE_S)
    intake.book([event(0)]).result(PATIENCE_S)
    assert said == ["the ledger is gone", "the ledger is back"]


def test_a_full_queue_refuses_and_keeps_what_it_has(
    intake: Intake, opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_QUEUED", 5)
    opening.ready.clear()
    intake.start()
    waiting: list[Future[None]] = [intake.book([event(n), event(n + 100)]) for n in range(2)]
    with pytest.raises(QueueFull):
        intake.book([event(7), event(8)])
    opening.ready.set()
    for each in waiting:
        each.result(PATIENCE_S)
    intake.book([event(7), event(8)]).result(PATIENCE_S)
    db = connect(opening.path)
    assert len(list(reader.chain(db, "a"))) == 6
    db.close()


def test_what_one_batch_holds_costs_no_other(intake: Intake, opening: Opening) -> None:
    """An event that the database cannot hold, in one transaction with others."""
    opening.ready.clear()
    intake.start()
    bad = intake.book([event(1, model="\ud800")])
    good = intake.book([event(2)])
    opening.ready.set()
    with pytest.raises(UnicodeEncodeError):
        bad.result(PATIENCE_S)
    good.result(PATIENCE_S)


def test_a_sender_is_asked_to_wait_while_the_queue_is_full(
    intake: Intake, opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """429 with Retry-After, over a socket."""
    monkeypatch.setattr(module, "MAX_QUEUED", 1)
    opening.ready.clear()
    intake.start()
    first = intake.book([event(1)])
    rules = Rules(frozenset({"localhost"}), receiving=PATHS)
    with service(rules=rules, pages=UsageRoutes(intake, {}).routes()) as running:
        url = f"{running.url}/api/v1/events"
        full = httpx.post(url, json=cloud_event(1))
        opening.ready.set()
        first.result(PATIENCE_S)
        later = httpx.post(url, json=cloud_event(1))
    assert (full.status_code, full.headers["retry-after"]) == (429, "1")
    assert later.status_code == 204
