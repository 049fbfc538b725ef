"""A new ledger in each database that can hold one."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.servers.postgres import PASSWORD, PostgresServer, programs, running
from tokentop.secret import Secret
from tokentop.transport.ledger.database import Database, connect, connect_server

Opening = Callable[[], Database]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests of a run."""
    if programs() is None:
        pytest.skip("no PostgreSQL server: install Debian's postgresql, or your system's")
    with running() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Opening]:
    """Connections to one ledger of this test's own."""
    opened: list[Database] = []
    archive = str(tmp_path / "ledger-archive")

    def opening() -> Database:
        opened.append(connect_server(postgres_server.url, Secret(PASSWORD), archive, create=True))
        return opened[-1]

    opening().execute("DROP SCHEMA tokentop CASCADE")
    opened.pop().close()
    yield opening
    for db in opened:
        db.close()


@pytest.fixture(params=["sqlite", "postgres"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opening]:
    """Connections to one new ledger, in a file and on a server."""
    if request.param == "postgres":
        yield request.getfixturevalue("postgres")
        return
    opened: list[Database] = []

    def in_a_file() -> Database:
        opened.append(connect(str(tmp_path / "ledger.sqlite3"), create=True))
        return opened[-1]

    yield in_a_file
    for db in opened:
        with suppress(Exception):
            db.close()


@pytest.fixture
def ledger(opening: Opening) -> Database:
    return opening()
