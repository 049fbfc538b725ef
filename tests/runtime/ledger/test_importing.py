"""Files of every kind into a ledger: each event once, each bad row named."""

import json
from pathlib import Path

import pytest

from tests.domain.ledger.examples import NOW_US
from tests.transport.ledger.test_ledger import total, valued
from tokentop.runtime.ledger.importing import SHOWN, Imported, import_rows
from tokentop.runtime.ledger.usage_file import rows
from tokentop.transport.ledger.database import connect
from tokentop.transport.ledger.writer import Writer

ROW = {"time": 1795262400, "model": "gpt-4o", "prompt_tokens": 100, "completion_tokens": 50}
HEADER = b"time,model,prompt_tokens,completion_tokens\n"


def imported(tmp_path: Path, content: bytes, name: str = "usage") -> Imported:
    """The file's rows into the ledger of this test."""
    path = tmp_path / name
    path.write_bytes(content)
    db = connect(str(tmp_path / "ledger.sqlite3"), create=True)
    with path.open("rb") as file:
        done = import_rows(rows(file), Writer(db, "a", valued), NOW_US)
    assert total(db).requests >= done.new
    db.close()
    return done


LINE = json.dumps(ROW).encode()


@pytest.mark.parametrize(
    ("content", "new"),
    [
        (LINE + b"\n", 1),
        (LINE, 1),
        (b"\xef\xbb\xbf" + LINE + b"\r\n\r\n" + LINE + b"\r\n", 2),
        (json.dumps([ROW, ROW, ROW]).encode(), 3),
        (json.dumps([ROW]).encode() + b"\n" + json.dumps([ROW, ROW]).encode() + b"\n", 3),
        (json.dumps(ROW, indent=1).encode(), 1),
        (json.dumps([ROW, ROW], indent=1).encode(), 2),
        (HEADER + b"1795262400,gpt-4o,100,50\n1795262401,gpt-4o,100,50\n", 2),
        (b"\xef\xbb\xbf" + HEADER + b'1795262400,"gpt-4o",100,50', 1),
        (HEADER, 0),
        (b"", 0),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_every_kind_of_file_is_read_and_read_once(tmp_path: Path, content: bytes, new: int) -> None:
    """Twins in one file are two requests; the file read again has none."""
    assert imported(tmp_path, content) == Imported(new, 0, (), 0)
    assert imported(tmp_path, content, "a copy") == Imported(0, new, (), 0)


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (LINE + b"\n{\n", 2, "not valid JSON"),
        (LINE + b"\nnull\n", 2, "no object"),
        (LINE + b"\n" + b"[" * 100_000 + b"\n", 2, "not valid JSON"),
        (LINE + b'\n{"time": 1, "prompt_tokens": ' + b"9" * 5000 + b"}\n", 2, "not valid JSON"),
        (LINE + b'\n{"time": 1795262400, "prompt_tokens": 1e18}\n', 2, "are no count"),
        (LINE + b'\n{"time": 1795262400, "prompt_tokens": 2e9}\n', 2, "cannot be"),
        (LINE + b'\n{"time": 9, "prompt_tokens": 2}\n', 2, "before 2020"),
        (HEADER + b"1795262400,gpt-4o,100,50\n1795262400,gpt-4o,minus,50\n", 3, "are no count"),
        (HEADER + b'1795262400,gpt-4o,100,50\n1,"' + b"x" * 2_000_000 + b'",1,1\n', 3, "CSV"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_bad_row_is_named_and_the_others_booked(
    tmp_path: Path, content: bytes, line: int, reason: str
) -> None:
    done = imported(tmp_path, content)
    assert (done.new, done.refused_count) == (1, 1)
    assert done.refused[0].line == line
    assert reason in done.refused[0].reason


def test_of_many_bad_rows_the_first_are_named(tmp_path: Path) -> None:
    done = imported(tmp_path, b"{}\n" * 3000)
    assert (done.new, done.refused_count, len(done.refused)) == (0, 3000, SHOWN)


def test_a_file_longer_than_a_batch_is_whole(tmp_path: Path) -> None:
    lines = [json.dumps(ROW | {"id": f"r-{number}"}) for number in range(1203)]
    assert imported(tmp_path, "\n".join(lines).encode()).new == 1203
