"""Budgets and entries as tests need them."""

from typing import Any
from zoneinfo import ZoneInfo

from tests.domain.ledger.examples import NOON_US, event
from tokentop.domain.budgets.book import BudgetBook
from tokentop.domain.ledger.entry import Entry, Link, usage
from tokentop.domain.policy import BudgetRule
from tokentop.domain.snapshot_ledger import Budget

MINUTE_US = 60_000_000
UTC = ZoneInfo("UTC")
PEOPLE = {"ada": "0a", "bob": "0b"}


def rule(**values: Any) -> BudgetRule:
    """Project alpha may spend 1,000 tokens a day."""
    usual: dict[str, Any] = {
        "name": "daily", "scope": "project", "who": "alpha", "period": "day", "unit": "tokens",
        "limit": 1000,
    }  # fmt: skip
    return BudgetRule(**{**usual, **values})


def entry(number: int = 1, *, milli_credits: int | None = None, **values: Any) -> Entry:
    """The entry of an event of 150 tokens of project alpha, at noon and `number` seconds."""
    return usage(
        event(number, **values),
        link=Link("box", number, NOON_US),
        people=PEOPLE,
        value=(milli_credits, None),
    )


def book(*rules: BudgetRule) -> BudgetBook:
    found = BudgetBook(rules, UTC)
    found.names = {each: name for name, each in PEOPLE.items()}
    return found


def budget(book: BudgetBook, now_us: int) -> Budget:
    """The only budget of a book."""
    (found,) = book.figures(now_us).budgets
    return found
