"""The ledger as it is listed, the newest entry first: a question, a page of rows, their sums."""

from collections.abc import Callable, Mapping, Sequence

from tokentop.domain.snapshot_engines import CostInput
from tokentop.light_typing import TYPE_CHECKING
from tokentop.named_tuple import NamedTuple

if TYPE_CHECKING:  # hashlib, which the first picture does without
    from tokentop.domain.ledger.entry import Entry
    from tokentop.domain.ledger.totals import Totals

PAGE = 200  # entries that are read at once
MOST = 1000  # that one question may ask for
COUNTED = 10_000  # entries that match a filter are counted up to here
SEARCHED = 100_000  # entries that are held against a filter, from the newest or `before` on
# What `name:value` in a filter may name, as the entry has it.
FIELDS = {
    "user": "user", "project": "project", "team": "team", "model": "model", "task": "task",
    "provider": "provider", "engine": "engine", "outcome": "outcome", "feed": "feed",
    "kind": "kind",
}  # fmt: skip


class Question(NamedTuple):
    """Which entries are listed: at most `limit`, older than the entry `before` (an identity).

    Every word of `wanted` must occur in one of FIELDS, whatever its case; `project:alpha` is that
    project alone, and `project:"two words"` may have blanks.
    """

    wanted: str = ""
    before: str | None = None
    limit: int = PAGE


class Listed(NamedTuple):
    """An entry with the names of its people, and the rows that its credits were computed from."""

    entry: "Entry"
    user: str | None = None
    end_user: str | None = None
    valuation: tuple[CostInput, ...] = ()


class Page(NamedTuple):
    """The answer to a question. `total` entries match, None where that was not counted; where
    `beyond`, more may.

    `problem` says why they cannot be read.
    """

    wanted: str = ""
    rows: tuple[Listed, ...] = ()
    total: int | None = None
    beyond: bool = False
    problem: str | None = None

    @property
    def more(self) -> bool:
        """Whether entries match that are not among the rows."""
        return self.beyond or (self.total or 0) > len(self.rows)


class Word(NamedTuple):
    """One condition of a filter: `text` in the `field`, None for any of them."""

    field: str | None
    text: str


def words(wanted: str) -> list[Word]:
    """The conditions of a filter; a quote that is still open ends with the text."""
    found: list[Word] = []
    for part in _parts(wanted):
        name, colon, value = part.partition(":")
        named = bool(colon and value) and name.casefold() in FIELDS
        word = Word(name.casefold(), value) if named else Word(None, part)
        found.append(word._replace(text=word.text.replace('"', "")))
    return [word for word in found if word.text]


def _parts(wanted: str) -> list[str]:
    """Split at blanks outside of quotes."""
    parts, quoted = [""], False
    for char in wanted:
        quoted ^= char == '"'
        if char.isspace() and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    return [part for part in parts if part]


def exactly(field: str, value: str) -> str:
    """The filter for one value of a field."""
    return f'{field}:"{value.replace(chr(34), "")}"'


def person(people: Mapping[str, str], identity: str | None) -> str | None:
    """How a person is shown: the name, or that it was erased."""
    return None if identity is None else people.get(identity, f"erased {identity[:8]}")


def extended(page: Page, older: Page) -> Page:
    """The page with what comes after its last row."""
    return page._replace(rows=page.rows + older.rows, problem=older.problem)


def grouped(
    rows: Sequence[Listed], by: Callable[[Listed], str | None]
) -> "list[tuple[str | None, Totals]]":
    """Totals over the rows by one of their fields, the most credits, then tokens first."""
    from tokentop.domain.ledger.totals import Totals, added, totals

    found: dict[str | None, Totals] = {}
    for row in rows:
        name = by(row)
        found[name] = added(found.get(name, Totals()), totals(row.entry))
    return sorted(found.items(), key=_most)


def _most(item: "tuple[str | None, Totals]") -> tuple[object, ...]:
    name, sums = item
    return (-sums.milli_credits, -sums.prompt - sums.generated, -sums.requests, name or "")
