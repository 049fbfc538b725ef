"""A ledger that somebody with the file in hand has changed: what verify names first."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.domain.ledger.examples import NOW_US, event
from tests.transport.ledger.test_ledger import booked, valued
from tokentop.domain.ledger.entry import GENESIS, chained, encode
from tokentop.domain.ledger.merkle import leaf_hash, root_of
from tokentop.domain.ledger.note import Checkpoint, NoteError, signed, text_of
from tokentop.runtime.ledger.verify import ORIGIN, prove, trusted, verify
from tokentop.transport.ledger import reader
from tokentop.transport.ledger.database import Database, connect
from tokentop.transport.ledger.signing import Key
from tokentop.transport.ledger.writer import Writer

KEY = Key(ORIGIN + "a", bytes(range(32)))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """Ten entries, with every trigger removed as an intruder would."""
    connection = connect(str(tmp_path / "ledger.sqlite3"), create=True)
    booked(connection, 10)
    yield connection
    connection.close()


def open_up(db: Database) -> None:
    for (name,) in db.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        db.execute(f"DROP TRIGGER {name}")


def point(db: Database) -> Checkpoint:
    (chain,) = verify(db).chains
    return Checkpoint(ORIGIN + "a", chain.size, chain.root)


def rechain(db: Database) -> None:
    """Number and hash all entries anew, as an intruder with this program would."""
    rows = [entry for entry, _ in reader.chain(db, "a")]
    db.execute("DELETE FROM entries")
    before = GENESIS
    for seq, entry in enumerate(rows, 1):
        entry = entry._replace(seq=seq)
        before = chained(before, encode(entry))
        marks = ", ".join("?" * (len(entry) + 1))
        db.execute(f"INSERT INTO entries VALUES ({marks})", (*entry, before))


def test_an_untouched_ledger_has_no_fault(db: Database) -> None:
    assert verify(db).faults == ()
    assert verify(db, [point(db)]).faults == ()


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE entries SET prompt = 1 WHERE seq = 4", "a: entry 4 was changed or inserted"),
        ("UPDATE entries SET model = 'x' WHERE seq = 1", "a: entry 1 was changed or inserted"),
        ("UPDATE entries SET user_id = NULL WHERE seq = 10", "a: entry 10 was changed"),
        ("DELETE FROM entries WHERE seq = 4", "a: entry 4 was removed"),
        ("DELETE FROM entries WHERE seq BETWEEN 1 AND 3", "a: entries 1 to 3 were removed"),
    ],
)
def test_the_first_wrong_entry_is_named(db: Database, statement: str, fault: str) -> None:
    open_up(db)
    db.execute(statement)
    assert verify(db).faults[0].startswith(fault)


def test_an_entry_forged_at_the_end_is_named(db: Database) -> None:
    open_up(db)
    last = [entry for entry, _ in reader.chain(db, "a")][-1]
    forged = last._replace(seq=11, identity="forged")
    marks = ", ".join("?" * (len(forged) + 1))
    db.execute(f"INSERT INTO entries VALUES ({marks})", (*forged, b"x" * 32))
    assert verify(db).faults[0].startswith("a: entry 11 was changed or inserted")


def cut_off(db: Database) -> None:
    db.execute("DELETE FROM entries WHERE seq > 7")


def change(db: Database) -> None:
    db.execute("UPDATE entries SET prompt = 1 WHERE seq = 4")
    rechain(db)


def remove(db: Database) -> None:
    db.execute("DELETE FROM entries WHERE seq = 4")
    rechain(db)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (cut_off, "a: entries from 8 on were cut off: a checkpoint has 10"),
        (change, "a: one of the entries 1 to 10 was changed, removed or inserted"),
        (
            remove,
            "a: entries from 10 on were cut off: a checkpoint has 10; "
            "or one of the entries 1 to 9 was changed, removed or inserted",
        ),
    ],
)
def test_a_rewritten_chain_is_found_by_its_checkpoint(
    db: Database, change: Callable[[Database], None], fault: str
) -> None:
    """Without one it looks whole, but for the triggers and sums, which could be rewritten too."""
    kept = point(db)
    open_up(db)
    change(db)
    assert not any(chain.fault for chain in verify(db).chains)
    assert verify(db, [kept]).faults[0].startswith(fault)


def test_the_more_checkpoints_the_narrower(db: Database) -> None:
    """Each of these was taken after some entries: the fault lies between two of them."""
    points = [point(db)]
    for number in (20, 21, 22):
        Writer(db, "a", valued).append([event(number), event(number + 100)], NOW_US)
        points.append(point(db))
    open_up(db)
    db.execute("UPDATE entries SET prompt = 1 WHERE seq = 13")
    rechain(db)
    assert verify(db, points).faults[0].startswith("a: one of the entries 13 to 14 was changed")


def test_a_whole_writer_that_vanished_is_missed(db: Database) -> None:
    kept = point(db)
    open_up(db)
    db.execute("DELETE FROM entries")
    assert "a: entries from 1 on were cut off: a checkpoint has 10" in verify(db, [kept]).faults


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE hourly SET prompt = prompt + 1", "hourly sums are not those of the entries"),
        ("DELETE FROM hourly", "hourly sums are not those of the entries"),
        ("UPDATE valuations SET inputs = '{}'", "inputs of valuation .* were changed"),
        ("DELETE FROM valuations", "inputs of valuation .* were removed"),
        ("SELECT 1", "triggers that refuse changes were removed"),
    ],
)
def test_what_stands_beside_the_chain_is_held_against_it(
    db: Database, statement: str, fault: str
) -> None:
    import re

    open_up(db)
    db.execute(statement)
    assert re.search(fault, verify(db).faults[0])


def test_a_checkpoint_counts_only_with_the_keys_signature() -> None:
    text = text_of(Checkpoint(ORIGIN + "a", 10, bytes(32)))
    note = signed(text, KEY.sign(text.encode()))
    keys = {KEY.name: KEY.public}
    assert [each.size for each in trusted(note, keys)] == [10]
    other = Key(KEY.name, bytes(32))
    for wrong in (note.replace("\n10\n", "\n11\n"), signed(text, other.sign(text.encode()))):
        with pytest.raises(NoteError, match="no signature of the key"):
            list(trusted(wrong, keys))
    foreign = text_of(Checkpoint("sum.golang.org", 10, bytes(32)))
    with pytest.raises(NoteError, match="no ledger of tokentop"):
        list(trusted(signed(foreign, KEY.sign(foreign.encode())), keys))


@pytest.mark.parametrize("number", [0, 4, 9])
def test_an_entry_is_proved_to_be_in_a_checkpoint(db: Database, number: int) -> None:
    """With its bytes, its place and the path alone, for any holder of the checkpoint."""
    kept = point(db)
    Writer(db, "a", valued).append([event(50)], NOW_US)
    proof = prove(db, f"test:{number}", [kept._replace(size=3), kept])
    assert proof.checkpoint == kept
    assert root_of(leaf_hash(proof.data), proof.place, kept.size, proof.path) == kept.root
    with pytest.raises(ValueError, match="newer than every checkpoint"):
        prove(db, "test:50", [kept])
    with pytest.raises(ValueError, match="no such entry"):
        prove(db, "test:77", [kept])
    with pytest.raises(ValueError, match="not that of the checkpoint"):
        prove(db, f"test:{number}", [kept._replace(root=bytes(32))])
