"""Engines' counters booked while serving, and the differences that a snapshot and a report show."""

import json
from collections.abc import Sequence
from datetime import UTC, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import environment, run
from tests.domain.ledger.examples import NOON_US, event
from tests.domain.ledger.test_reconciliation import engine, stretch
from tests.transport.ledger.test_ledger import valued
from tokentop.domain.ledger.counting import Stretch, record
from tokentop.domain.ledger.entry import Entry, Link, usage
from tokentop.domain.ledger.event import MINUTE_US, UsageEvent
from tokentop.domain.ledger.record import recorded
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_ledger import LedgerFigures
from tokentop.runtime.ledger.counting import Counting
from tokentop.runtime.ledger.intake import Intake
from tokentop.runtime.ledger.reconciling import Reconciling
from tokentop.transport.ledger.database import LedgerError, connect
from tokentop.transport.ledger.reports import MatchingWriter
from tokentop.transport.ledger.writer import Writer

PATIENCE_S = 20.0


def at(minutes: float) -> int:
    return NOON_US + round(minutes * MINUTE_US)


@pytest.mark.parametrize("away", [False, True])
def test_what_engines_generated_is_held_against_the_claims(tmp_path: Path, away: bool) -> None:
    """Also where the ledger is away when it is counted: it is booked with the next minute."""
    path = str(tmp_path / "ledger.sqlite3")
    failures = [LedgerError("away")] * 2 if away else []

    def open_writer() -> Writer:
        if failures:
            raise failures.pop()
        return MatchingWriter(connect(path, create=True), "a", valued)

    part = Reconciling(UTC)
    seen: list[Entry] = []

    def follow(entries: Sequence[Entry]) -> None:
        part.book(entries)
        seen.extend(entries)

    part._start(at(0))
    intake = Intake(open_writer, lambda: at(20), lambda _: None)
    intake.subscribe(follow)
    intake.start()
    counting = Counting(intake)
    for minutes, generated in ((0.1, 100), (10.1, 400), (11.1, 410), (12.1, 420)):
        counting.follow(Snapshot(engines=(engine(generated),)), at(minutes))
        try:  # a barrier: the queue is booked in its order
            intake.book([]).result(PATIENCE_S)
        except LedgerError:
            assert away
    claim = event(1, at_us=at(2), engine="127.0.0.1:8000", generated=250)
    intake.book([claim]).result(PATIENCE_S)
    intake.stop()
    assert [each.kind for each in seen] == ["count", "usage"]

    found = part.figures(LedgerFigures(), at(20))
    assert (found.unattributed, found.overclaimed) == (300, 0)  # as of the counter
    again, db = Reconciling(UTC), connect(path)
    again.load(db, at(20))
    found = again.figures(LedgerFigures(), at(20))
    assert (found.unattributed, found.overclaimed) == (50, 0)
    tomorrow = again.figures(LedgerFigures(), at(24 * 60))
    assert (tomorrow.unattributed, tomorrow.overclaimed) == (None, None)
    db.close()

    (tmp_path / "config.toml").write_text(f'[ledger]\npath = "{path}"\n')
    words = ("ledger", "reconcile", "--since", "2026-11-21", "--config")
    said = run(*words, str(tmp_path / "config.toml"), env=environment())
    assert said.stdout.splitlines()[1].split() == [
        "2026-11-21T12:00Z", "org/Tiny", "10", "300", "250", "50", "0"
    ]  # fmt: skip
    said = run(*words, str(tmp_path / "config.toml"), "--json", env=environment())
    (row,) = json.loads(said.stdout)["rows"]
    assert (row["generated"], row["claimed"], row["unattributed"]) == (300, 250, 50)


def entry(one: Stretch | UsageEvent) -> Entry:
    link = Link("a", 1, one.at_us if isinstance(one, UsageEvent) else at(0))
    if isinstance(one, UsageEvent):
        return usage(one, link=link, value=(None, None), people={})
    return recorded(record(one), link=link, people={})


def test_what_is_claimed_right_after_midnight_counts_for_the_new_day() -> None:
    """It is booked before the figures are looked at again. Nepal's midnight is at 18:15 UTC."""
    midnight = at(6 * 60 + 15)
    minute = midnight // MINUTE_US
    part = Reconciling(timezone(timedelta(hours=5, minutes=45)))
    part.figures(LedgerFigures(), midnight - 1)
    claimed: Any = {"engine": "node", "generated": 20, "user": None}
    part.book([
        entry(stretch(500, minute - 25, engine="node")),
        entry(event(1, at_us=midnight + 5, **claimed)),
        entry(event(2, at_us=midnight - 5, **claimed)),
    ])  # fmt: skip
    before = part.figures(LedgerFigures(), midnight - 1)
    assert (before.unattributed, before.overclaimed) == (500, 0)
    new = part.figures(LedgerFigures(), midnight)
    assert (new.unattributed, new.overclaimed) == (None, None)
    part.book([entry(stretch(100, minute, engine="node"))])
    found = part.figures(LedgerFigures(), midnight + 10 * MINUTE_US)
    assert (found.unattributed, found.overclaimed) == (80, 0)


def test_a_ledger_without_counters_says_so(tmp_path: Path) -> None:
    path = str(tmp_path / "ledger.sqlite3")
    connect(path, create=True).close()
    (tmp_path / "config.toml").write_text(f'[ledger]\npath = "{path}"\n')
    said = run("ledger", "reconcile", "--config", str(tmp_path / "config.toml"))
    assert (said.returncode, said.stdout.startswith("no engine was counted")) == (0, True)
