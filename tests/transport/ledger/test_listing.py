"""Pages of entries, the newest first, from a file and from a server."""

from functools import partial

import pytest

from tests.domain.ledger.examples import NOW_US, event
from tests.transport.ledger.conftest import Opening
from tokentop.config.valuation import load
from tokentop.domain.economy.valuation import Tables, value
from tokentop.domain.ledger.listing import Page, Question
from tokentop.transport.ledger import listing
from tokentop.transport.ledger.writer import Writer


def identities(page: Page) -> list[str]:
    return [row.entry.identity for row in page.rows]


def test_pages_and_filters_are_the_same_in_both(opening: Opening) -> None:
    """Two writers' entries in one list; what one page ends with the next one begins after."""
    tables = load(None)
    assert isinstance(tables, Tables)
    db = opening()
    for name, numbers in (("a", range(0, 10, 2)), ("b", range(1, 10, 2))):
        events = [event(n, user="Zoë" if n > 7 else "ada", at_us=NOW_US + n // 4) for n in numbers]
        Writer(db, name, partial(value, tables=tables)).append(events, NOW_US)
    whole = listing.page(db, Question())
    # by time, then by writer and number, each falling
    assert identities(whole) == [f"test:{n}" for n in (9, 8, 7, 5, 6, 4, 3, 1, 2, 0)]
    assert (whole.total, whole.beyond) == (10, False)
    first = listing.page(db, Question(limit=4))
    rest = listing.page(db, Question(before=identities(first)[-1]))
    assert identities(first) + identities(rest) == identities(whole)
    assert [row.user for row in whole.rows[:3]] == ["Zoë", "Zoë", "ada"]
    assert whole.rows[0].valuation[-1].label == "credits"
    found = listing.page(db, Question('user:Zoë "GPT-4O"', limit=1))
    assert (identities(found), found.total, found.more) == (["test:9"], 2, True)
    assert identities(listing.page(db, Question("ada", before="test:2"))) == ["test:0"]


def test_a_search_ends(opening: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is older than the entries searched is not found; the page says that more may match."""
    monkeypatch.setattr(listing, "SEARCHED", 5)
    monkeypatch.setattr(listing, "COUNTED", 3)
    db = opening()
    events = [event(n, project="old" if n < 4 else "new") for n in range(10)]
    Writer(db, "w", partial(value, tables=Tables("none"))).append(events, NOW_US)
    old = listing.page(db, Question("project:old"))
    assert (identities(old), old.total, old.beyond) == ([], 0, True)
    new = listing.page(db, Question("project:new", limit=2))
    assert (identities(new), new.total, new.beyond) == (["test:9", "test:8"], 3, True)
    older = listing.page(db, Question("project:old", before="test:6"))
    assert identities(older) == ["test:3", "test:2"]
