"""The ledger on a real PostgreSQL server: what it refuses, and a server that fails."""

import json
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import psycopg
import pytest

from tests.cli.command import environment, run
from tests.domain.ledger.examples import NOW_US, event
from tests.servers.postgres import PASSWORD, PostgresServer
from tests.transport.ledger.conftest import Opening
from tests.transport.ledger.test_ledger import booked, total, valued
from tokentop.domain.ledger.record import Record
from tokentop.runtime.ledger.intake import Intake
from tokentop.runtime.ledger.verify import verify
from tokentop.secret import Secret
from tokentop.transport.ledger import following, tasks
from tokentop.transport.ledger.database import LedgerError, connect, connect_server
from tokentop.transport.ledger.writer import Writer

LONG_S = 30.0
CHANGES = (
    "UPDATE entries SET prompt = 1",
    "DELETE FROM entries WHERE seq = 5",
    "TRUNCATE entries",
    "INSERT INTO entries SELECT * FROM entries WHERE seq = 3",
    "INSERT INTO entries SELECT * FROM entries WHERE seq = 3 "
    "ON CONFLICT (writer, seq) DO UPDATE SET prompt = 1",
    "UPDATE valuations SET inputs = '{}'",
    "DELETE FROM valuations",
    "TRUNCATE valuations",
    "INSERT INTO valuations SELECT id, '{}' FROM valuations",
    "SET session_replication_role = replica; UPDATE entries SET prompt = 1",
)


def owner(server: PostgresServer) -> "psycopg.Connection[tuple[object, ...]]":
    """Another program's connection, as the owner of the tables."""
    connection = psycopg.connect(server.url, password=PASSWORD, autocommit=True)
    connection.execute("SET search_path TO tokentop")
    return connection


@pytest.mark.parametrize("statement", CHANGES)
def test_the_database_refuses_changes(
    postgres: Opening, postgres_server: PostgresServer, statement: str
) -> None:
    db = postgres()
    booked(db)
    with (
        owner(postgres_server) as other,
        pytest.raises(psycopg.errors.RaiseException, match="the ledger is append-only"),
    ):
        other.execute(statement)
    assert verify(db).faults == ()


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE entries SET prompt = 1 WHERE seq = 4", "a: entry 4 was changed or inserted"),
        ("DELETE FROM entries WHERE seq = 4", "a: entry 4 was removed"),
        ("UPDATE hourly SET prompt = prompt + 1", "hourly sums are not those of the entries"),
        ("SELECT 1", "triggers that refuse changes were removed"),
    ],
)
def test_what_its_owner_changes_all_the_same_is_named(
    postgres: Opening, postgres_server: PostgresServer, statement: str, fault: str
) -> None:
    db = postgres()
    booked(db)
    with owner(postgres_server) as other:
        other.execute("ALTER TABLE entries DISABLE TRIGGER USER")
        other.execute(statement)  # type: ignore[arg-type]
    assert fault in verify(db).faults[0]


@pytest.mark.parametrize(
    "weakened",
    [
        "ALTER TABLE entries DISABLE TRIGGER entries_no_update",
        "ALTER TABLE entries ENABLE TRIGGER entries_no_update",
        "DROP TRIGGER entries_no_delete ON entries",
        "CREATE OR REPLACE FUNCTION entries_no_update() RETURNS trigger LANGUAGE plpgsql "
        "AS $$BEGIN RETURN NEW; END$$",
    ],
)
def test_a_weakened_trigger_is_found(
    postgres: Opening, postgres_server: PostgresServer, weakened: str
) -> None:
    db = postgres()
    with owner(postgres_server) as other:
        other.execute(weakened)  # type: ignore[arg-type]
    assert "triggers that refuse changes were removed" in verify(db).faults[0]


def test_a_server_that_crashed_loses_nothing_and_is_connected_to_again(
    postgres: Opening, postgres_server: PostgresServer
) -> None:
    """One sentence while it is away; what it acknowledged is there when it is back."""
    db = postgres()
    writer = booked(db)
    postgres_server.stop()
    for _ in range(2):
        with pytest.raises(LedgerError, match=r"cannot be reached \(.*\)$") as caught:
            writer.append([event(7)], NOW_US)
        assert len(str(caught.value).splitlines()) == 1
    postgres_server.start()
    assert writer.append([event(number) for number in range(8)], NOW_US).known == 5
    assert verify(db).faults == ()


def test_a_restart_between_two_batches_is_not_noticed(
    postgres: Opening, postgres_server: PostgresServer
) -> None:
    writer = booked(postgres())
    postgres_server.stop("INT")
    postgres_server.start()
    assert writer.append([event(9)], NOW_US).new == 1


def test_what_is_received_while_it_is_away_is_refused_and_taken_afterwards(
    postgres: Opening, postgres_server: PostgresServer
) -> None:
    """As serve receives it: the sender gets the failure, and what it sends again is one entry."""
    said: list[str] = []
    intake = Intake(lambda: Writer(postgres(), "a", valued), lambda: NOW_US, said.append)
    intake.start()
    intake.book([event(1), event(2)]).result(LONG_S)
    postgres_server.stop()
    with pytest.raises(LedgerError, match="cannot be reached"):
        intake.book([event(2), event(3)]).result(LONG_S)
    postgres_server.start()
    intake.book([event(2), event(3)]).result(LONG_S)
    intake.stop()
    assert [len(said), len(said[0].splitlines())] == [2, 1]
    db = postgres()
    assert (total(db).requests, verify(db).faults) == (3, ())


def test_a_connection_lost_within_a_batch_books_nothing_of_it(
    postgres: Opening, postgres_server: PostgresServer
) -> None:
    """And the statements after it do not run on a new connection by themselves."""
    db = postgres()
    writer = booked(db)

    def lose(_: object) -> None:
        with owner(postgres_server) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'tokentop' AND state = 'idle in transaction'"
            )

    losing = Writer(db, "a", lambda each: lose(each) or valued(each))
    with pytest.raises(LedgerError, match="nothing of this batch was booked; try again"):
        losing.append([event(number) for number in range(5, 9)], NOW_US)
    assert total(db).requests == 5
    assert writer.append([event(number) for number in range(5, 9)], NOW_US).new == 4
    assert verify(db).faults == ()


def test_a_full_disk_books_nothing_and_says_so(
    postgres: Opening, postgres_server: PostgresServer
) -> None:
    """The server's own code of a full disk, in the midst of a batch."""
    db = postgres()
    writer = booked(db)
    with owner(postgres_server) as other:
        other.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
            "RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END$$"
        )
        other.execute(
            "CREATE TRIGGER full_disk BEFORE INSERT ON hourly EXECUTE FUNCTION full_disk()"
        )
        with pytest.raises(LedgerError, match="the disk is full; nothing of this batch"):
            writer.append([event(7)], NOW_US)
        other.execute("DROP TRIGGER full_disk ON hourly")
    assert total(db).requests == 5
    assert writer.append([event(7)], NOW_US).new == 1


def test_text_that_it_cannot_hold_is_one_sentence(postgres: Opening) -> None:
    """What feeds send has no such character any more; the connection lives on."""
    writer = booked(postgres())
    with pytest.raises(LedgerError, match="cannot contain NUL"):
        writer.append([event(7), event(8, model="a\0b")], NOW_US)
    assert writer.append([event(7)], NOW_US).new == 1


def test_a_reader_does_not_wait_for_a_writer(postgres: Opening) -> None:
    db, other = postgres(), postgres()
    booked(db)
    with db.transaction():
        assert total(other).requests == 5


def test_a_lock_held_for_too_long_is_a_sentence(postgres: Opening) -> None:
    db, other = postgres(), postgres()
    other.execute("SET lock_timeout TO '50ms'")
    with db.transaction(), pytest.raises(LedgerError, match="holds it for too long; try again"):
        booked(other)
    assert booked(other)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://ada@127.0.0.1:{port}/nowhere", 'database "nowhere" does not exist'),
        ("postgresql://eve@127.0.0.1:{port}/postgres", 'authentication failed for user "eve"'),
        ("postgresql://ada@127.0.0.1:1/postgres", "Connection refused"),
        ("postgresql://ada@[::1/postgres", "its URL cannot be read; write it like postgresql://"),
        ("postgresql://ada@127.0.0.1:{port}/postgres?ssl=x", "its URL cannot be read"),
    ],
)
def test_what_keeps_it_from_being_opened_is_one_sentence_without_the_password(
    postgres_server: PostgresServer, url: str, sentence: str
) -> None:
    given = url.format(port=postgres_server.port)
    with pytest.raises(LedgerError) as caught:
        connect_server(given, Secret(PASSWORD), "")
    frames = traceback.StackSummary.extract(
        traceback.walk_tb(caught.tb.tb_next), capture_locals=True
    )
    assert sentence in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert PASSWORD not in "".join(frames.format())


def test_a_ledger_that_is_not_there_is_not_made_by_reading(
    postgres: Opening, postgres_server: PostgresServer
) -> None:
    with pytest.raises(LedgerError, match=r"there is no ledger in postgresql://\*\*\*@.*import"):
        connect_server(postgres_server.url, Secret(PASSWORD), "")


def test_two_that_make_it_at_once_make_one(postgres: Opening) -> None:
    threads = [threading.Thread(target=postgres) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify(postgres()).faults == ()


def test_the_command_works_on_it_and_never_shows_the_password(
    postgres: Opening, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        f'[ledger]\nurl = "{postgres_server.url}"\npassword_env = "PW"\nwriter = "gpu-box"\n'
    )
    usage = tmp_path / "usage.jsonl"
    usage.write_text('{"id": 1, "time": 1795262400, "model": "gpt-4o", "prompt_tokens": 3}\n')
    env = environment(
        TOKENTOP_CONFIG=str(config), PW=PASSWORD, XDG_STATE_HOME=str(tmp_path / "state")
    )
    assert run("ledger", "report", env=env).stderr.startswith("tokentop: there is no ledger in ")
    done = [
        run("ledger", *words, env=env)
        for words in (("import", str(usage)), ("report", "--json"), ("verify",))
    ]
    assert [each.returncode for each in done] == [0, 0, 0], done
    assert json.loads(done[1].stdout)["total"]["prompt"] == 3
    assert done[2].stdout.startswith("gpu-box: 1 entries, none changed\n")
    done.append(run("config", env=env))
    wrong = run("ledger", "report", env=env | {"PW": "hush-hush"})
    assert wrong.returncode == 2
    assert "authentication failed" in wrong.stderr
    shown = "".join(each.stdout + each.stderr for each in [*done, wrong])
    assert PASSWORD not in shown
    assert "hush-hush" not in shown


KILLED = """
import sys
from tests.domain.ledger.examples import NOW_US, event
from tests.servers.postgres import PASSWORD
from tests.transport.ledger.test_ledger import valued
from tokentop.secret import Secret
from tokentop.transport.ledger.database import connect_server
from tokentop.transport.ledger.writer import Writer
writer = Writer(connect_server(sys.argv[1], Secret(PASSWORD), ""), "a", valued)
for first in range(0, 100_000, 50):
    writer.append([event(number) for number in range(first, first + 50)], NOW_US)
    print(first + 50, flush=True)
"""


def test_those_who_follow_read_the_same_from_either_database(
    postgres: Opening, tmp_path: Path
) -> None:
    """Heads, slots, records and the detector's and the audit's figures."""
    in_a_file = connect(str(tmp_path / "ledger.sqlite3"), create=True)
    value = Record("value", "v:1", NOW_US, "reported", project="alpha", micro_usd=120_000_000)
    found = []
    for db in (in_a_file, postgres()):
        writer = booked(db)
        writer.append([value, event(9, project="beta", session="s", user=None)], NOW_US)
        writer.reverse("test:2", NOW_US)
        ids = following.ids(db, ["ada", "nobody"])
        assert set(ids.values()) == {"ada"}
        name = dict.fromkeys(ids, "ada")
        found.append((
            following.heads(db),
            sorted(
                (each._replace(user_id=name.get(each.user_id or "")) for each in
                 following.slots(db, 60_000_000, 0)), key=str,
            ),
            following.records(db, "value"),
            [each.identity for each in tasks.latest(db, 3, NOW_US)],
            tasks.months(db, 0, 2 * NOW_US),
        ))  # fmt: skip
    in_a_file.close()
    assert found[0] == found[1]


def test_a_killed_writer_loses_nothing_that_it_acknowledged(
    postgres: Opening, postgres_server: PostgresServer
) -> None:
    db = postgres()
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, postgres_server.url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(3)][-1]
    process.kill()
    acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
    process.wait()
    process.stdout.close()
    Writer(db, "b", valued).append([event(10**6)], NOW_US)  # waits until the server let go
    found = verify(db)
    assert found.faults == ()
    assert found.chains[0].size >= acknowledged
    assert found.chains[0].size % 50 == 0
