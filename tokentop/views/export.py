"""A recording as a table: a row a snapshot, its moment and the names of `--format`."""

import csv as csv_module
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice

from tokentop.domain.snapshot_decode import loads
from tokentop.light_typing import Any
from tokentop.transport.recording.reader import Recording
from tokentop.views.figures import FIELDS, Figure
from tokentop.views.spreadsheet import cell
from tokentop.views.terminal import is_tty

BATCH = 4096  # rows
NO_PYARROW = "--parquet needs pyarrow (pip install 'tokentop[parquet]'); --csv needs nothing more"
NO_TERMINAL = "--parquet writes bytes: send them to a file, tokentop export FILE --parquet > TABLE"

Say = Callable[[str, int], int]
Row = tuple[int, list[Figure]]


class ExportError(Exception):
    """Why nothing is exported, in one sentence."""


def csv(recording: Recording, say: Say) -> None:
    """Print comma-separated values; what is unknown is empty, moments are RFC 3339 UTC.

    `say` gets a sentence where a part of the recording is damaged.
    """
    write = csv_module.writer(sys.stdout, lineterminator="\n").writerow
    write(["at", *FIELDS])
    for at_ms, figures in _rows(recording):
        moment = _moment(at_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        write([moment, *("" if figure is None else cell(figure) for figure in figures)])
    _report(recording, say)


def parquet(recording: Recording, say: Say) -> None:
    """Write Apache Parquet to standard output; a word in place of a number is null.

    Raises ExportError where pyarrow is missing, or standard output is a terminal.
    """
    try:
        import pyarrow  # type: ignore[import-not-found, import-untyped, unused-ignore]
        from pyarrow import parquet as pq
    except ImportError:
        raise ExportError(NO_PYARROW) from None
    if is_tty(sys.stdout):
        raise ExportError(NO_TERMINAL)
    text, number = pyarrow.string(), pyarrow.float64()
    kinds = {name: number if field.number else text for name, field in FIELDS.items()}
    schema = pyarrow.schema({"at": pyarrow.timestamp("ms", "UTC"), **kinds})
    rows = _rows(recording)
    with pq.ParquetWriter(sys.stdout.buffer, schema) as writer:
        while batch := list(islice(rows, BATCH)):
            writer.write_table(pyarrow.table(_columns(batch), schema=schema))
    _report(recording, say)


def _columns(rows: list[Row]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {"at": [_moment(at_ms) for at_ms, _ in rows]}
    for place, (name, field) in enumerate(FIELDS.items()):
        values = [figures[place] for _, figures in rows]
        words = [isinstance(value, str) == field.number for value in values]
        columns[name] = [None if word else value for value, word in zip(values, words, strict=True)]
    return columns


def _rows(recording: Recording) -> Iterator[Row]:
    for at_ms, line in recording.all():
        snapshot = loads(line)
        if snapshot is not None:
            yield at_ms, [field.get(snapshot) for field in FIELDS.values()]


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _report(recording: Recording, say: Say) -> None:
    if recording.damaged:
        say(f"{recording.damaged:,} bytes of the recording are damaged and left out", 0)
