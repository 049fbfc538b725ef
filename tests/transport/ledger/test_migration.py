"""A ledger that an earlier version wrote, opened by this one."""

import sqlite3
from pathlib import Path

import pytest

from tests.domain.ledger.examples import NOW_US, event
from tests.transport.ledger.test_ledger import total, valued
from tokentop.domain.ledger.record import Record
from tokentop.runtime.ledger.verify import verify
from tokentop.transport.ledger.database import LedgerError, connect
from tokentop.transport.ledger.writer import Writer

VERSION_1 = Path(__file__).with_name("version_1.sql")  # three events and a reversal, dumped


@pytest.fixture
def path(tmp_path: Path) -> str:
    found = tmp_path / "ledger.sqlite3"
    made = sqlite3.connect(found)
    made.executescript(VERSION_1.read_text())
    made.close()
    return str(found)


def test_version_1_is_whole_and_goes_on(path: str) -> None:
    """Its entries keep their hashes; what version 2 adds is booked after them."""
    db = connect(path)
    assert verify(db).faults == ()
    assert (total(db).requests, total(db).prompt) == (2, 200)
    again = Writer(db, "a", valued).append([event(0), event(9)], NOW_US)
    assert (again.new, again.known) == (1, 1)
    Writer(db, "a", valued).append([Record("decision", "d", NOW_US, "stop")], NOW_US)
    assert verify(db).chains[0].size == 6
    db.close()
    assert verify(connect(path)).faults == ()


def test_version_1_is_refused_changes_afterwards(path: str) -> None:
    connect(path).close()
    other = sqlite3.connect(path)
    for statement in ("DELETE FROM entries WHERE seq = 4", "UPDATE entries SET details = '{}'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            other.execute(statement)
    other.close()


def test_a_newer_versions_file_is_left_alone(path: str) -> None:
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(LedgerError, match="written by a newer tokentop"):
        connect(path)
