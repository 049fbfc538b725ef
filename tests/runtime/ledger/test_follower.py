"""The ledger followed beside a screen: what it shows, and what it decides when it cannot read."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.domain.budgets.examples import rule
from tests.domain.ledger.examples import NOON_US
from tests.runtime.serve.test_authorize import eventually
from tokentop.config.schema import AuthorizeConfig, Config, LedgerConfig, has_ledger
from tokentop.domain.budgets.authority import Asker
from tokentop.runtime.ledger import place
from tokentop.runtime.ledger.follower import UNREADABLE_S, Follower
from tokentop.runtime.ledger.zone import zone
from tokentop.transport.ledger import reader

SECOND_US = 1_000_000
ALPHA = Asker(project="alpha")


def config(path: Path, **more: object) -> Config:
    ledger = LedgerConfig(path=str(path / "ledger.sqlite3"), writer="test", time_zone="Asia/Tokyo")
    return Config(ledger=ledger, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["open", "closed"])
def test_sums_of_a_ledger_that_is_away_decide_for_a_while(tmp_path: Path, mode: str) -> None:
    """After that the configured choice holds, and it shows."""
    spent = rule(limit=0, stop=True)
    given = config(tmp_path, budgets=(spent,), authorize=AuthorizeConfig(failure_mode=mode))
    place.opened(given.ledger, {}, create=True).close()
    follower = Follower(lambda: given, {})
    follower.accounts.follow(NOON_US)
    soon = NOON_US + int((UNREADABLE_S - 1) * SECOND_US)
    late = NOON_US + int((UNREADABLE_S + 1) * SECOND_US)
    refusals = [follower.refusal(ALPHA, now_us) for now_us in (soon, late)]
    figures = [follower.figures(now_us / SECOND_US) for now_us in (soon, late)]
    kinds = [refusal and refusal.kind for refusal in refusals]
    assert kinds == ["spent", "undecided" if mode == "closed" else None]
    assert [each and each.decides for each in figures] == [None, mode]


def test_without_ledger_and_budgets_nothing_is_shown(tmp_path: Path) -> None:
    given = config(tmp_path)
    follower = Follower(lambda: given, {})
    follower.accounts.follow(NOON_US)
    assert follower.figures(NOON_US / SECOND_US) is None


def test_a_day_begins_where_the_configuration_says(tmp_path: Path) -> None:
    """Noon in UTC is nine in the evening in Tokyo: its day ends three hours later."""
    given = config(tmp_path, budgets=(rule(),))
    place.opened(given.ledger, {}, create=True).close()
    follower = Follower(lambda: given, {})
    follower.accounts.follow(NOON_US)
    figures = follower.figures(NOON_US / SECOND_US)
    assert figures is not None
    assert figures.budgets[0].ends_at == "2026-11-21T15:00:00Z"


def test_a_change_is_announced_once(tmp_path: Path) -> None:
    """A screen need not be drawn anew for every look."""
    given = config(tmp_path, interval_s=0.0)
    place.opened(given.ledger, {}, create=True).close()
    seen: list[int] = []
    follower = Follower(lambda: given, {}, lambda: seen.append(1))
    follower.start()
    follower.wait(10)
    follower.decide("alpha", "stop")
    eventually(lambda: len(seen) == 2)
    for _ in range(3):
        follower.look()
    follower.stop()
    assert len(seen) == 2


def test_a_decision_names_its_person_in_the_side_table_only(tmp_path: Path) -> None:
    given = config(tmp_path)
    follower = Follower(lambda: given, {})
    assert follower.decide("alpha", "stop").startswith("alpha is stopped: ")
    db = place.opened(given.ledger, {})
    (entry,) = reader.entries_after(db, {})
    names = reader.people(db)
    db.close()
    assert (entry.kind, entry.project, entry.outcome) == ("decision", "alpha", "stop")
    assert names[entry.user_id or ""] == subprocess.check_output(["id", "-un"], text=True).strip()


def test_where_a_ledger_is_followed_at_all() -> None:
    """Where one is configured; the demo has its own."""
    plain, named = Config(), Config(ledger=LedgerConfig(path="/x"))
    assert not has_ledger(plain)
    assert has_ledger(named)
    assert has_ledger(plain._replace(budgets=(rule(),)))
    assert not has_ledger(named._replace(demo=plain.demo._replace(enabled=True)))


def test_the_time_zone() -> None:
    """The configured one, else $TZ's, else the machine's; the same object each time."""
    named = LedgerConfig(time_zone="Asia/Kolkata")
    assert zone(named, {"TZ": "Europe/Berlin"}) == ZoneInfo("Asia/Kolkata")
    assert zone(LedgerConfig(), {"TZ": ":Europe/Berlin"}) == ZoneInfo("Europe/Berlin")
    local = zone(LedgerConfig(), {})
    assert local is zone(LedgerConfig(), {"TZ": ""})
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert noon.astimezone(local).utcoffset() == noon.astimezone().utcoffset()
