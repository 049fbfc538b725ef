"""A usage file row by row: JSONL, a JSON document, or CSV with a header; however long it is."""

import csv
import json
from collections.abc import Iterator
from io import BufferedReader, TextIOWrapper

from tokentop.named_tuple import NamedTuple
from tokentop.sources.usage.fields import Unreadable

MAX_LINE = 16 * 1024 * 1024  # bytes of one line of JSON
MAX_DOCUMENT = 64 * 1024 * 1024  # and of a document over several lines
MAX_FIELD = 1024 * 1024  # characters of one field of CSV


class Row(NamedTuple):
    """What stands at a line, counted from 1: a value, or why it cannot be read."""

    line: int
    value: object


def rows(file: BufferedReader) -> Iterator[Row]:
    """Every row of a file opened for reading bytes; a line that cannot be read is Unreadable."""
    head = file.peek(64)[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    yield from _json(file) if head[:1] in (b"{", b"[") else _csv(file)


def _json(file: BufferedReader) -> Iterator[Row]:
    """A line at a time, unless the first line is only the beginning of a document."""
    for number, data in enumerate(iter(lambda: file.readline(MAX_LINE), b""), 1):
        value = _loaded(data)
        if number == 1 and isinstance(value, Unreadable):
            value = _loaded(data + file.read(MAX_DOCUMENT))
        for each in value if isinstance(value, list) else [value]:
            if data.strip():
                yield Row(number, each)


def _loaded(data: bytes) -> object:
    try:
        value: object = json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return Unreadable("it is not valid JSON")
    return value


def _csv(file: BufferedReader) -> Iterator[Row]:
    csv.field_size_limit(MAX_FIELD)
    with TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="") as text:
        reader = csv.DictReader(text)
        while True:
            try:
                value = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield Row(reader.line_num + 1, Unreadable("it is not valid CSV"))
            else:
                yield Row(reader.line_num, {name: each for name, each in value.items() if name})
