"""The past that another tokentop's `serve` answers with: its bytes, written and read here."""

import json
from collections.abc import Sequence

from tokentop.domain.history import Sample
from tokentop.domain.past import Past
from tokentop.sources.collector import TOKEN_ECONOMY
from tokentop.sources.json_fields import BadData, as_number, load, mapping

HISTORY = f"{TOKEN_ECONOMY}/history"
_FIGURES = Sample._fields


def dumps(past: Past) -> bytes:
    """A stretch whose times are Unix seconds: `figures` names the columns of every row."""
    rows = {name: [list(sample) for sample in getattr(past, name)] for name in Past._fields}
    return json.dumps({"figures": _FIGURES, **rows}, separators=(",", ":")).encode()


def loads(body: bytes) -> Past:
    """What `dumps` made, on this version or another; raises BadData where it is something else."""
    document = mapping(load(body))
    figures = document.get("figures")
    if not isinstance(figures, list) or "t" not in figures:
        raise BadData("it sent no history")
    columns = [(at, name) for at, name in enumerate(figures) if name in _FIGURES]
    return Past(*(_samples(document.get(name), columns) for name in Past._fields))


def _samples(rows: object, columns: Sequence[tuple[int, str]]) -> tuple[Sample, ...]:
    found: list[Sample] = []
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, list):
            continue
        figures = {name: as_number(row[at]) for at, name in columns if at < len(row)}
        at = figures.pop("t", None)
        if at is not None:
            found.append(Sample(at, **figures))
    return tuple(sorted(found, key=lambda sample: sample.t))
