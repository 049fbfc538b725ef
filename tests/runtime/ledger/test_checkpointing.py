"""Checkpoints: what each signs, what it costs, and where it is kept."""

from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest

from tests.domain.ledger.examples import NOW_US, event
from tests.runtime.ledger.test_verify import KEY, change, cut_off, open_up
from tests.runtime.test_alerts import receiver
from tests.transport.ledger.test_ledger import booked, valued
from tokentop.config.schema import LedgerConfig
from tokentop.domain.ledger.note import Checkpoint, NoteError
from tokentop.runtime.ledger.checkpointing import Checkpoints, sign
from tokentop.runtime.ledger.verify import trusted, verify
from tokentop.secret import Secret
from tokentop.transport.ledger import reader
from tokentop.transport.ledger.database import Database, LedgerError, connect
from tokentop.transport.ledger.writer import Writer

KEYS = {KEY.name: KEY.public}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    connection = connect(str(tmp_path / "ledger.sqlite3"), create=True)
    booked(connection, 10)
    yield connection
    connection.close()


def points(notes: list[str]) -> list[Checkpoint]:
    return list(trusted("\n".join(notes), KEYS))


def more(db: Database, first: int, count: int = 7) -> None:
    Writer(db, "a", valued).append([event(first + number) for number in range(count)], NOW_US)


def test_each_signs_what_a_walk_over_everything_finds(db: Database) -> None:
    """However many there were before it; all of them agree with the ledger."""
    notes = sign(db, KEY)
    for first in (20, 40, 60):
        more(db, first)
        notes += sign(db, KEY)
    (chain,) = verify(db).chains
    assert [point.size for point in points(notes)] == [10, 17, 24, 31]
    assert points(notes)[-1].root == chain.root
    assert verify(db, points(notes)).faults == ()


def test_it_reads_only_what_is_new(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sign(db, KEY)
    more(db, 20, 3)
    read = []
    walk = reader.chain

    def counted(*given: object) -> Iterator[tuple[object, bytes]]:
        for entry, stored in walk(*given):  # type: ignore[arg-type]
            read.append(entry.seq)
            yield entry, stored

    monkeypatch.setattr(reader, "chain", counted)
    sign(db, KEY)
    assert read == [11, 12, 13]


def test_nothing_wrong_is_signed(db: Database) -> None:
    open_up(db)
    with pytest.raises(LedgerError, match="nothing is signed: the triggers that refuse changes"):
        sign(db, KEY)
    db.execute("UPDATE entries SET prompt = 1 WHERE seq = 4")
    with pytest.raises(LedgerError, match="nothing is signed: a: entry 4 was changed"):
        sign(db, KEY)


def test_what_was_cut_off_below_the_last_one_is_noticed(db: Database) -> None:
    sign(db, KEY)
    open_up(db)
    cut_off(db)
    with pytest.raises(LedgerError, match=r"a: entry 10, of the last checkpoint, was .* cut off"):
        sign(db, KEY)


def test_a_rewritten_ledger_is_found_by_the_tree_that_was_kept(db: Database) -> None:
    """Without the signed notes; who rewrites that too is found by them."""
    sign(db, KEY)
    open_up(db)
    change(db)
    assert "one of the entries 1 to 10 was changed" in verify(db).faults[0]


def test_serving_keeps_them_in_log_file_and_webhook(db: Database, tmp_path: Path) -> None:
    """Each of the three is read by verify, the log with whatever else stands in it."""
    kept, log = tmp_path / "kept.txt", ["listening on port 8888"]
    with receiver() as (url, posts):
        config = LedgerConfig(
            path=db.place, key_file=str(tmp_path / "key"), writer="a",
            checkpoint_file=str(kept), webhook=Secret(f"{url}/hush"),
        )  # fmt: skip
        making = Checkpoints(config, {}, log.append)
        assert making.once()
        more(db, 20)
        assert making.once()
    from tokentop.transport.ledger.signing import read_key

    own = read_key(str(tmp_path / "key"))
    logged = "\n".join(f"nov 22 10:00 serve[7]: {line}" for line in log)
    posted = "\n".join(posts.get().body.decode() for _ in range(2))
    for text in (kept.read_text(), logged, posted):
        found = list(trusted(text, {own.name: own.public}))
        assert [point.size for point in found] == [10, 17]
        assert verify(db, found).faults == ()
    with pytest.raises(NoteError):
        list(trusted(logged.replace(" 17 ", " 18 "), {own.name: own.public}))


def test_they_are_made_while_it_serves(db: Database, tmp_path: Path) -> None:
    said: Queue[str] = Queue()
    config = LedgerConfig(
        path=db.place, key_file=str(tmp_path / "key"), writer="a", checkpoint_hours=1e-6
    )
    making = Checkpoints(config, {}, said.put)
    making.start()
    assert said.get(timeout=20).startswith("checkpoint tokentop-ledger/a 10 ")
    more(db, 20)
    while not said.get(timeout=20).startswith("checkpoint tokentop-ledger/a 17 "):
        pass
    making.stop()


def test_a_place_that_fails_is_one_sentence_and_the_others_have_it(
    db: Database, tmp_path: Path
) -> None:
    said: list[str] = []
    with receiver(500) as (url, _):
        config = LedgerConfig(
            path=db.place, key_file=str(tmp_path / "key"),
            checkpoint_file=str(tmp_path / "no" / "folder"), webhook=Secret(f"{url}/hush"),
        )  # fmt: skip
        assert not Checkpoints(config, {}, said.append).once()
    assert said[0].startswith("checkpoint tokentop-ledger/a 10 ")
    assert "the checkpoint is not in" in said[1]
    assert "No such file" in said[1]
    assert said[2].startswith("the checkpoint was not posted to the webhook (")
    assert said[2].endswith(" answered 500)")
    assert "hush" not in "".join(said)
    gone = config._replace(path=str(tmp_path / "nowhere"))
    assert not Checkpoints(gone, {}, said.append).once()
    assert said[3].startswith("no checkpoint: there is no ledger at")
