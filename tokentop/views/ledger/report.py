"""A report of the ledger as a table, as JSON and as CSV."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO

from tokentop.domain.economy.valuation_explained import decimal, thousandths
from tokentop.domain.ledger.event import HOUR_US, iso
from tokentop.domain.ledger.totals import Totals, added
from tokentop.domain.text import BOUND_SIGNS, DASH, cell_width, fit, fmt_usd
from tokentop.named_tuple import NamedTuple
from tokentop.transport.ledger.reader import Sums
from tokentop.views.spreadsheet import cell

# What --by takes -> what sums are kept by.
KEYS = {
    "user": "user_id", "project": "project", "team": "team", "model": "model",
    "provider": "provider", "engine": "engine", "outcome": "outcome", "day": "day", "hour": "hour",
}  # fmt: skip
DEFAULT_BY = ("project", "model")
SCHEMA = "tokentop-ledger/1"
_FIGURES = ("requests", "prompt", "cached", "generated", "credits", "USD")


class Report(NamedTuple):
    """Sums of [since, until), Unix microseconds, by some of KEYS; keys of a row as text or None."""

    by: tuple[str, ...]
    since_us: int
    until_us: int
    rows: tuple[tuple[tuple[str | None, ...], Totals], ...]

    @property
    def total(self) -> Totals:
        total = Totals()
        for _, totals in self.rows:
            total = added(total, totals)
        return total


def named(by: Sequence[str], sums: Iterable[Sums], people: Mapping[str, str]) -> list[
    tuple[tuple[str | None, ...], Totals]
]:  # fmt: skip
    """Rows with their keys as they are shown: people by name, hours and days as dates."""
    return [
        (tuple(_key(name, key, people) for name, key in zip(by, row.keys, strict=True)), row.totals)
        for row in sums
    ]


def _key(name: str, key: str | int | None, people: Mapping[str, str]) -> str | None:
    if isinstance(key, int):
        at = iso(key * HOUR_US * (24 if name == "day" else 1))
        return at[:10] if name == "day" else f"{at[:13]}:00Z"
    if name == "user" and key is not None:
        return people.get(key, f"erased {key[:8]}")
    return key


def table(report: Report) -> str:
    """Aligned columns, largest first, with a total; — unknown, ≈ estimated, ≥ not all known."""
    rows = [(*(key or DASH for key in keys), *_figures(totals)) for keys, totals in report.rows]
    last = ("total", *[""] * (len(report.by) - 1)) if report.by else ()
    lines = [(*report.by, *_FIGURES), *rows, (*last, *_figures(report.total))]
    return aligned(lines, len(report.by))


def aligned(lines: Sequence[tuple[str, ...]], left: int) -> str:
    """Lines of as many cells in columns, the first `left` of which begin at their left edge."""
    widths = [max(map(cell_width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(line, widths, left) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int], keys: int) -> str:
    """Keys stand left in their columns, figures right."""
    aligned = (
        fit(cell, width, "left" if place < keys else "right")
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(aligned).rstrip()


def _figures(totals: Totals) -> tuple[str, ...]:
    tokens = (f"{value:,}" for value in (totals.prompt, totals.cached, totals.generated))
    return (
        f"{totals.requests:,}",
        *(_marked(text, totals, totals.unmeasured) for text in tokens),
        _marked(thousandths(totals.milli_credits), totals, totals.unvalued),
        _marked(fmt_usd(totals.micro_usd / 1e6), totals, totals.unpriced),
    )


def _marked(text: str, totals: Totals, unknown: int) -> str:
    if unknown and unknown >= totals.requests:
        return DASH
    return (BOUND_SIGNS["at-least"] if unknown else BOUND_SIGNS["about"] if totals.estimated
            else "") + text  # fmt: skip


def as_json(report: Report) -> str:
    """One object; money stays in whole micro-USD and milli-credits, null where none is known."""
    document = {
        "schema": SCHEMA,
        "since": iso(report.since_us),
        "until": iso(report.until_us),
        "by": report.by,
        "rows": [
            {**dict(zip(report.by, keys, strict=True)), **_values(totals)}
            for keys, totals in report.rows
        ],
        "total": _values(report.total),
    }
    return json.dumps(document, ensure_ascii=False)


def _values(totals: Totals) -> dict[str, int | None]:
    values: dict[str, int | None] = dict(totals._asdict())
    for name, unknown in (("micro_usd", totals.unpriced), ("milli_credits", totals.unvalued)):
        if unknown and unknown >= totals.requests:
            values[name] = None
    return values


def as_csv(report: Report) -> str:
    """A header and a line a row; USD and credits are exact decimal numbers, empty where unknown."""
    figures = tuple(name for name in Totals._fields if name not in ("micro_usd", "milli_credits"))
    lines: list[Sequence[object]] = [(*report.by, *figures, "usd", "credits")]
    for keys, totals in report.rows:
        values = _values(totals)
        money = (_exact(values["micro_usd"], 10**6), _exact(values["milli_credits"], 1000))
        lines.append((*keys, *(values[name] for name in figures), *money))
    return written(lines)


def _exact(value: int | None, unit: int) -> str:
    return "" if value is None else decimal(value, unit)


def written(lines: Iterable[Sequence[object]]) -> str:
    """Lines as CSV."""
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerows([map(cell, line) for line in lines])
    return out.getvalue()
