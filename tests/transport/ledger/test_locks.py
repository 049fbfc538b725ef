"""Several connections of one process to a ledger's file, and another process beside them."""

import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.domain.ledger.examples import NOW_US, event
from tests.transport.ledger.test_ledger import valued
from tokentop.transport.ledger.database import connect
from tokentop.transport.ledger.writer import Writer

READ = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); " \
    "print(db.execute('SELECT count(*) FROM entries').fetchone()[0]); db.close()"  # fmt: skip


def count_elsewhere(path: str) -> int:
    """What another process reads, which closes the file after that."""
    done = subprocess.run(
        [sys.executable, "-c", READ, path], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_a_second_connection_does_not_drop_the_locks_of_the_first(tmp_path: Path) -> None:
    """POSIX drops all locks of a process on a file when it closes any descriptor of it.

    Another process then takes itself for the last one, and removes the log that the first writes
    on: what it acknowledged after that would be in no file.
    """
    path = str(tmp_path / "ledger.sqlite3")
    first = connect(path, create=True)
    writer = Writer(first, "a", valued)
    writer.append([event(1)], NOW_US)
    second = connect(path, create=True)
    assert count_elsewhere(path) == 1
    writer.append([event(2)], NOW_US)
    assert count_elsewhere(path) == 2
    second.close()
    writer.append([event(3)], NOW_US)
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM entries").fetchone() == (3,)
    first.close()
