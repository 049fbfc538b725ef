"""The ledger on a real SQLite file: appended, never changed, counted once, summed by the hour."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.domain.ledger.examples import NOW_US, event
from tokentop.config.problems import Problem
from tokentop.config.valuation import load
from tokentop.domain.economy.valuation import Value, value
from tokentop.domain.ledger.event import UsageEvent
from tokentop.domain.ledger.totals import Totals
from tokentop.runtime.ledger.verify import verify
from tokentop.transport.ledger import reader
from tokentop.transport.ledger.database import Database, LedgerError, connect
from tokentop.transport.ledger.writer import Writer

TABLES = load(None)


def valued(given: UsageEvent) -> Value:
    assert not isinstance(TABLES, Problem)
    return value(given, TABLES)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state" / "ledger.sqlite3")


@pytest.fixture
def db(path: str) -> Iterator[Database]:
    connection = connect(path, create=True)
    yield connection
    connection.close()


def booked(db: Database, count: int = 5, name: str = "a") -> Writer:
    writer = Writer(db, name, valued)
    writer.append([event(number) for number in range(count)], NOW_US)
    return writer


def total(db: Database, since: int = 0, until: int = 2 * NOW_US) -> Totals:
    found = reader.sums(db, [], since, until)
    return found[0].totals if found else Totals()


def test_a_new_ledger_is_its_users_alone(path: str, db: Database) -> None:
    booked(db)
    modes = {each.name: each.stat().st_mode & 0o777 for each in Path(path).parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert Path(path).parent.stat().st_mode & 0o777 == 0o700


CHANGES = (
    "UPDATE entries SET prompt = 1",
    "DELETE FROM entries WHERE seq = 5",
    "INSERT OR REPLACE INTO entries SELECT * FROM entries WHERE seq = 3",
    "REPLACE INTO entries SELECT * FROM entries WHERE seq = 5",
    "INSERT INTO entries SELECT 'a', 1, kind, 'new', at_us, booked_us, feed, outcome, estimated, "
    + ", ".join(["NULL"] * 25) + ", hash FROM entries WHERE seq = 1",
    "UPDATE valuations SET inputs = '{}'",
    "DELETE FROM valuations",
    "INSERT OR REPLACE INTO valuations SELECT id, '{}' FROM valuations",
)  # fmt: skip


@pytest.mark.parametrize("statement", CHANGES)
def test_the_database_refuses_changes(path: str, db: Database, statement: str) -> None:
    """To any program: the rule stands in the file, and the connection is another."""
    booked(db)
    other = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute(statement)
    other.close()
    assert verify(db).faults == ()


def test_an_erased_name_is_in_no_byte_of_the_files(path: str, db: Database) -> None:
    """And the chain is whole; the next event of that name belongs to another number."""
    name = "ada.lovelace@example.org"
    Writer(db, "a", valued).append([event(1, user=name, end_user="grace")], NOW_US)
    assert set(reader.people(db).values()) == {name, "grace"}
    assert reader.erase(db, name)
    files = b"".join(each.read_bytes() for each in Path(path).parent.iterdir())
    assert name.encode() not in files
    assert b"grace" in files
    assert verify(db).faults == ()
    assert not reader.erase(db, name)
    Writer(db, "a", valued).append([event(2, user=name)], NOW_US)
    assert len(reader.sums(db, ["user_id"], 0, 2 * NOW_US)) == 2


def test_a_name_in_a_log_that_is_read_is_not_called_erased(path: str, db: Database) -> None:
    booked(db)
    reading = sqlite3.connect(path, isolation_level=None)
    reading.execute("BEGIN")
    assert reading.execute("SELECT name FROM people").fetchone() == ("ada",)
    db.execute("PRAGMA busy_timeout = 1")
    with pytest.raises(LedgerError, match="another process reads the ledger"):
        reader.erase(db, "ada")
    reading.close()
    assert not reader.erase(db, "ada")
    assert b"ada" not in b"".join(each.read_bytes() for each in Path(path).parent.iterdir())


def test_a_full_disk_books_nothing_and_says_so(path: str, db: Database) -> None:
    """The limit on pages has SQLite's own error of a full disk."""
    booked(db)
    ((pages,),) = db.rows("PRAGMA page_count")
    db.execute(f"PRAGMA max_page_count = {pages + 2}")
    writer = Writer(db, "a", valued)
    with pytest.raises(LedgerError, match="the disk is full; nothing of this batch"):
        writer.append([event(number) for number in range(10, 500)], NOW_US)
    assert total(db).requests == 5
    db.execute("PRAGMA max_page_count = 1000000")
    assert writer.append([event(number) for number in range(10, 500)], NOW_US).new == 490
    assert verify(db).faults == ()


def test_a_damaged_file_is_one_sentence(path: str, db: Database) -> None:
    """Pages overwritten below the database, as a failing disk does."""
    booked(db, 500)
    db.close()
    content = bytearray(Path(path).read_bytes())
    content[8192 : len(content) - 8192] = b"\xff" * (len(content) - 16384)
    Path(path).write_bytes(content)
    with pytest.raises(LedgerError, match="the file is damaged; restore it from a backup"):
        verify(connect(path))


@pytest.mark.parametrize("content", [b"hello, this is a text and no database at all" * 40, b""])
def test_another_programs_file_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.sqlite3"
    path.write_bytes(content)
    if not content:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE theirs (a)")
        other.close()
    with pytest.raises(LedgerError, match=r"no SQLite database|another program's"):
        connect(str(path), create=True)


def test_a_ledger_that_is_not_there_is_not_made_by_reading(path: str) -> None:
    with pytest.raises(LedgerError, match=r"there is no ledger at .*import"):
        connect(path)
    assert not Path(path).exists()


def test_a_reader_does_not_wait_for_a_writer(path: str, db: Database) -> None:
    """It sees the last batch that was booked whole."""
    booked(db)
    db.execute("BEGIN IMMEDIATE")
    other = connect(path)
    assert total(other).requests == 5
    other.close()
    db.execute("ROLLBACK")


KILLED = """
import sys
from tests.domain.ledger.examples import NOW_US, event
from tests.transport.ledger.test_ledger import valued
from tokentop.transport.ledger.database import connect
from tokentop.transport.ledger.writer import Writer
writer = Writer(connect(sys.argv[1], create=True), "a", valued)
for first in range(0, 100_000, 50):
    writer.append([event(number) for number in range(first, first + 50)], NOW_US)
    print(first + 50, flush=True)
"""


@pytest.mark.parametrize("after", [1, 7])
def test_a_killed_writer_loses_nothing_that_it_acknowledged(path: str, after: int) -> None:
    """kill -9 in the midst of a batch; what is sent again is booked once."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, path], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(after)][-1]
    process.kill()
    acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
    process.wait()
    process.stdout.close()
    db = connect(path)
    found = verify(db)
    assert found.faults == ()
    assert found.chains[0].size >= acknowledged
    assert found.chains[0].size % 50 == 0  # a batch is there whole, or not at all
    again = Writer(db, "a", valued).append([event(n) for n in range(acknowledged + 50)], NOW_US)
    assert again.known >= acknowledged
    assert total(db).requests == found.chains[0].size + again.new
    db.close()
