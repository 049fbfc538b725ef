"""The ledger's entries as another tokentop's `serve` lists them: the address, and the answer."""

from collections.abc import Mapping
from typing import get_type_hints  # noqa: TID251
from urllib.parse import urlencode

from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.listing import MOST, Listed, Page, Question
from tokentop.domain.snapshot_engines import CostInput
from tokentop.light_typing import Any
from tokentop.sources.collector import LEDGER
from tokentop.sources.json_fields import Fields, load, mapping, rows

MOST_INPUTS = 20
_HINTS = get_type_hints(Entry)
_WHOLE = frozenset(name for name, hint in _HINTS.items() if hint in (int, int | None))
_NEEDED = ("writer", "identity", "at_us", "booked_us", "feed", "outcome", "kind", "seq")


def address(question: Question) -> str:
    """The path and query of a question."""
    asked = {"filter": question.wanted, "before": question.before, "limit": question.limit}
    return f"{LEDGER}?{urlencode({name: each for name, each in asked.items() if each})}"


def read(body: bytes, wanted: str) -> Page:
    """The page of one answer; rows without what every entry has are left out. Raises BadData."""
    document = mapping(load(body))
    fields = Fields(document)
    found = (_listed(row) for row in rows(document, "entries")[:MOST] if isinstance(row, dict))
    return Page(
        wanted,
        tuple(row for row in found if row is not None),
        fields.count("total"),
        fields.boolean("beyond") or False,
    )


def _listed(row: Mapping[str, object]) -> Listed | None:
    fields = Fields(row)
    values: dict[str, Any] = {
        name: _whole(fields, name) if name in _WHOLE else fields.text(name) for name in _HINTS
    }
    if (
        any(values[name] is None for name in _NEEDED)
        or min(values["at_us"], values["booked_us"]) < 0
    ):
        return None
    entry = Entry(**values | {"estimated": values["estimated"] or 0})
    inputs = row.get("inputs")
    valuation = tuple(
        CostInput(each.text("label") or "", each.text("value") or "", each.text("source") or "")
        for each in map(Fields, filter(_is_object, inputs if isinstance(inputs, list) else ()))
    )
    return Listed(entry, fields.text("user"), fields.text("end_user"), valuation[:MOST_INPUTS])


def _whole(fields: Fields, name: str) -> int | None:
    """A whole number of either sign: reversals have negative amounts."""
    value = fields.number(name)
    return None if value is None else round(value)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)
