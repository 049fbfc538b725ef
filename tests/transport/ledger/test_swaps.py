"""Swaps that several people make at the same moment, in a file and on a server."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.domain.budgets.examples import rule
from tests.domain.ledger.examples import NOON_US
from tests.servers.postgres import PASSWORD, PostgresServer
from tokentop.config.schema import Config, LedgerConfig
from tokentop.runtime.ledger import exchange, place
from tokentop.secret import Secret

AT_ONCE = 6


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> LedgerConfig:
    """A new ledger, as it is configured."""
    if request.param == "sqlite":
        config = LedgerConfig(path=str(tmp_path / "ledger.sqlite3"))
    else:
        request.getfixturevalue("postgres")
        server: PostgresServer = request.getfixturevalue("postgres_server")
        archive = str(tmp_path / "ledger-archive")
        config = LedgerConfig(url=server.url, password=Secret(PASSWORD), archive=archive)
    place.opened(config, {}, create=True).close()
    return config._replace(writer="a", time_zone="UTC")


def test_credits_are_given_away_once(ledger: LedgerConfig) -> None:
    """Of 100 credits six people give 60 each at once: one of them can."""
    budgets = [rule(who=who, unit="credits", period="total", limit=100) for who in ("a", "b")]
    config = Config(ledger=ledger, budgets=tuple(budgets))

    def give(_: int) -> None:
        with suppress(exchange.Refused):
            exchange.swap(config, {}, "a", "b", "60", NOON_US)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(give, range(AT_ONCE)))
    db = place.opened(ledger, {})
    moved = db.rows("SELECT project, milli_credits FROM entries WHERE kind = 'transfer'")
    db.close()
    assert sorted(moved) == [("a", -60_000), ("b", 60_000)]
