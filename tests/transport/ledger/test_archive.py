"""Old entries moved into compressed files, in either database."""

import gzip
import json
from hashlib import sha256
from pathlib import Path

import pytest

from tests.domain.ledger.examples import HOUR_US, NOON_US, NOW_US, event
from tests.runtime.ledger.test_verify import KEY
from tests.transport.ledger.test_ledger import total, valued
from tokentop.domain.ledger.counting import Stretch, record
from tokentop.domain.ledger.event import MINUTE_US
from tokentop.domain.ledger.listing import Question
from tokentop.domain.ledger.merkle import leaf_hash, root_of
from tokentop.domain.ledger.record import Record
from tokentop.runtime.ledger import archiving
from tokentop.runtime.ledger.archiving import archive_until
from tokentop.runtime.ledger.checkpointing import sign
from tokentop.runtime.ledger.verify import prove, trusted, verify
from tokentop.transport.ledger import listing, reader
from tokentop.transport.ledger.archive import ArchiveError
from tokentop.transport.ledger.claims import reconciled
from tokentop.transport.ledger.database import Database, LedgerError
from tokentop.transport.ledger.writer import Writer

LATER_US = NOW_US + 1000 * HOUR_US
DECISION = Record("decision", "stop:1", NOW_US, "stop", project="alpha")
HALF_HOURS = 1_800_000_000


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three entries a segment, and pages that end within them."""
    monkeypatch.setattr(archiving, "AT_ONCE", 3)
    monkeypatch.setattr(reader, "AT_ONCE", 2)


@pytest.fixture
def old(ledger: Database) -> Database:
    """Eight entries of usage, half an hour apart, with a decision as the second; then two new."""
    writer = Writer(ledger, "a", valued)
    usage = [event(number, at_us=NOON_US + number * HALF_HOURS) for number in range(8)]
    writer.append([usage[0], DECISION, *usage[1:]], NOW_US)
    writer.append([event(20), event(21)], LATER_US)
    return ledger


def archive(db: Database) -> list[Path]:
    found = [Path(db.archive, each.file) for each in archive_until(db, LATER_US)]
    assert found
    return found


def rewrite(file: Path, change: tuple[bytes, bytes], lines: slice = slice(None)) -> None:
    data = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join(data[lines]).replace(*change)))


def test_what_is_archived_is_not_reconciled(old: Database) -> None:
    """Without the claims in the files all that was generated would seem to be unattributed."""
    minute = NOON_US // MINUTE_US
    count = record(Stretch("node-a", "gpt-4o", minute, minute + 10, 150))
    Writer(old, "a", valued).append([count], LATER_US)
    (hour,) = reconciled(old, NOON_US, LATER_US).hours()
    assert (hour.generated, hour.claimed) == (150, 150)
    archive(old)
    assert list(reconciled(old, NOON_US, LATER_US).hours()) == []


def test_the_list_counts_what_it_shows(old: Database) -> None:
    """The decision and the last two; the decision was booked before most of what is archived."""
    assert listing.page(old, Question()).total == 11
    archive(old)
    found = listing.page(old, Question())
    assert (found.total, len(found.rows)) == (3, 3)


def test_what_is_archived_is_verified_and_walked_as_before(old: Database) -> None:
    before = list(reader.chain(old, "a"))
    root = verify(old).chains[0].root
    files = archive(old)
    assert [each.name for each in files] == [
        "a-1-3.jsonl.gz", "a-4-6.jsonl.gz", "a-7-9.jsonl.gz",
    ]  # fmt: skip
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}
    assert old.rows("SELECT seq FROM entries ORDER BY seq") == [(2,), (10,), (11,)]
    assert list(reader.chain(old, "a")) == before
    assert list(reader.chain(old, "a", 4)) == before[4:]
    found = verify(old)
    assert (found.faults, found.chains[0].size, found.chains[0].root) == ((), 11, root)
    assert list(archive_until(old, LATER_US)) == []


def test_the_files_are_read_without_this_program(old: Database) -> None:
    """gzip, then a hash and canonical JSON a line: enough to compute the chain."""
    last = bytes(32)
    for file in archive(old):
        for line in gzip.decompress(file.read_bytes()).splitlines():
            stored, data = line.split(b" ", 1)
            last = sha256(last + data).digest()
            assert last.hex() == stored.decode()
            assert json.loads(data)["writer"] == "a"


def test_reports_stay_the_same_by_whole_hours(old: Database) -> None:
    bounds = [NOON_US + hour * HOUR_US for hour in range(-1, 6)]
    spans = [(since, until) for since in bounds for until in bounds if since < until]
    before = [total(old, *span) for span in spans]
    archive(old)
    assert [total(old, *span) for span in spans] == before
    half = total(old, NOON_US + HALF_HOURS, NOON_US + HOUR_US + HALF_HOURS)
    assert half == total(old, NOON_US, NOON_US + HOUR_US)


def test_an_archived_event_counts_once(old: Database) -> None:
    archive(old)
    again = Writer(old, "b", valued).append([event(1), DECISION, event(99)], LATER_US)
    assert (again.new, again.known) == (1, 2)
    assert verify(old).faults == ()


def test_an_archived_entry_is_found_reversed_and_proved(old: Database) -> None:
    points = list(trusted("\n".join(sign(old, KEY)), {KEY.name: KEY.public}))
    archive(old)
    found = reader.entry(old, "test:4")
    assert found is not None
    assert found.seq == 6
    proof = prove(old, "test:4", points)
    assert root_of(leaf_hash(proof.data), 5, 11, proof.path) == points[0].root
    before = total(old).requests
    Writer(old, "a", valued).reverse("test:4", LATER_US)
    assert total(old).requests == before - 1
    assert verify(old, points).faults == ()
    assert [point.size for point in trusted("\n".join(sign(old, KEY)), {KEY.name: KEY.public})] == [
        12
    ]


def test_a_follower_that_was_away_reads_archives_too(old: Database) -> None:
    archive(old)
    assert [each.seq for each in reader.entries_after(old, {"a": 4})] == list(range(5, 12))


@pytest.mark.parametrize(
    ("change", "lines", "fault"),
    [
        ((b'"prompt":100', b'"prompt":101'), slice(None), "a: entry 4 was changed or inserted"),
        ((b"", b""), slice(1, None), "a: entry 4 was removed"),
        ((b"", b""), slice(2), "a: entry 6 was removed"),
        ((b'"seq":5', b'"seq":"5"'), slice(None), "of entries 4 to 6 is damaged"),
        ((b'{"at_us"', b'{"at'), slice(None), "a-4-6.jsonl.gz of entries 4 to 6 is damaged"),
    ],
)  # fmt: skip
def test_a_changed_archive_is_named(
    old: Database, change: tuple[bytes, bytes], lines: slice, fault: str
) -> None:
    rewrite(archive(old)[1], change, lines)
    assert fault in verify(old).faults[0]


def test_an_archive_that_is_cut_off_or_gone_is_named(old: Database) -> None:
    second = archive(old)[1]
    second.write_bytes(second.read_bytes()[:-12])
    assert "archive a-4-6.jsonl.gz of entries 4 to 6 is damaged" in verify(old).faults[0]
    second.unlink()
    assert f"a-4-6.jsonl.gz of entries 4 to 6 is not in {old.archive}" in verify(old).faults[0]
    with pytest.raises(ArchiveError, match="is not in"):
        reader.entry(old, "test:4")
    assert total(old).requests == 10  # reports need no archive


def test_what_the_database_keeps_of_archives_cannot_be_changed(old: Database) -> None:
    archive(old)
    for statement in ("UPDATE archived_sums SET prompt = 1", "DELETE FROM archived",
                      "DELETE FROM segments", "DELETE FROM entries WHERE seq = 2",
                      "INSERT INTO archived_sums SELECT * FROM archived_sums"):  # fmt: skip
        with pytest.raises(LedgerError, match="append-only"):
            old.execute(statement)


@pytest.mark.parametrize(
    ("table", "statement", "fault"),
    [
        ("archived_sums", "UPDATE archived_sums SET prompt = 1 WHERE last_seq = 6",
         "the sums of the archive a-4-6.jsonl.gz are not those of its entries"),
        ("archived", "DELETE FROM archived WHERE seq = 5", "a: identities of archived entries"),
        ("valuations", "DELETE FROM valuations", "the inputs of valuation"),
        ("entries", "DELETE FROM entries WHERE seq = 2", "a: entry 2 was removed"),
        ("entries", "UPDATE entries SET outcome = 'resume' WHERE seq = 2", "a: entry 2 was"),
    ],
)  # fmt: skip
def test_what_the_database_keeps_of_archives_is_held_against_them(
    old: Database, table: str, statement: str, fault: str
) -> None:
    """By whoever removed the triggers first."""
    archive(old)
    if "postgresql" in old.place:
        old.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    else:
        for event_ in ("update", "delete"):
            old.execute(f"DROP TRIGGER {table}_no_{event_}")
    old.execute(statement)
    assert verify(old).faults[0].startswith(fault)


def test_nothing_that_is_wrong_is_archived(old: Database) -> None:
    if "postgresql" in old.place:
        old.execute("ALTER TABLE entries DISABLE TRIGGER entries_no_update")
    else:
        old.execute("DROP TRIGGER entries_no_update")
    old.execute("UPDATE entries SET prompt = 1 WHERE seq = 5")
    moving = archive_until(old, LATER_US)
    assert next(moving).last_seq == 3
    with pytest.raises(LedgerError, match="nothing more is archived: entry 5 of a was changed"):
        next(moving)
    assert old.rows("SELECT max(last_seq) FROM segments") == [(3,)]


def test_a_folder_that_cannot_be_written_is_one_sentence(old: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    old.archive = str(tmp_path / "file" / "archive")
    with pytest.raises(ArchiveError, match=r"nothing is archived into .* \(Not a directory\)"):
        archive(old)
    assert old.rows("SELECT count(*) FROM entries") == [(11,)]
