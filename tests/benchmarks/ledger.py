"""The ledger: events a second with chain and acknowledgement, verify, reports, archives.

    python -m tests.benchmarks.ledger [--entries 1000000] [--folder DIR]
    python -m tests.benchmarks.ledger --reports 10000000 [--folder DIR]

In the folder (else the system's temporary one) a file of about 500 bytes an entry is made and left
nowhere; a PostgreSQL server is started where there is one. Each rate stands beside that of a peer
without a chain: the same rows by a plain INSERT, the same bytes by SHA-256 alone. Exits 1 where
fewer than 2,000 events a second are booked in batches of 50, where a report over a week takes over
a second, or where verify's memory follows the number of entries. The second form measures reports
alone, over entries that SQL makes: the writer would take most of an hour for as many.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.domain.ledger.examples import HOUR_US, NOW_US, event
from tests.servers.postgres import PASSWORD, programs, running
from tests.transport.ledger.test_ledger import valued
from tokentop.domain.ledger.entry import Entry, encode
from tokentop.domain.ledger.event import UsageEvent
from tokentop.domain.ledger.totals import Totals
from tokentop.runtime.ledger.archiving import archive_until
from tokentop.runtime.ledger.checkpointing import sign
from tokentop.secret import Secret
from tokentop.transport.ledger import reader
from tokentop.transport.ledger.database import Database, connect, connect_server
from tokentop.transport.ledger.reports import MatchingWriter
from tokentop.transport.ledger.schema import SUMS
from tokentop.transport.ledger.signing import Key

LIMIT_PER_S = 2000
LIMIT_REPORT_S = 1.0
LIMIT_GROWTH_MIB = 50.0
DAYS = 90
MEASURED = 20_000  # events of each rate


def events(first: int, count: int, over: int) -> Iterator[UsageEvent]:
    """50 users of 10 projects with 4 models, spread over the days before now."""
    step = DAYS * 24 * HOUR_US // over
    for number in range(first, first + count):
        yield event(
            number,
            identity=f"litellm:{number:032x}",
            feed="litellm",
            at_us=NOW_US - (over - number % over) * step,
            user=f"user-{number * 7919 % 50}",
            project=f"project-{number * 7919 % 10}",
            model=("gpt-4o", "qwen3-32b", "llama-3.1-405b", "tiny")[number % 4],
            request=f"chatcmpl-{number:028x}",
            prompt=100 + number % 900,
            generated=50 + number % 400,
        )


def fill(db: Database, first: int, count: int, batch: int, over: int) -> float:
    """Book events; return how many a second."""
    writer = MatchingWriter(db, "bench", valued)
    batches = [list(events(at, batch, over)) for at in range(first, first + count, batch)]
    started = time.perf_counter()
    for each in batches:
        writer.append(each, NOW_US)
    return count / (time.perf_counter() - started)


def count(db: Database) -> int:
    ((number,),) = db.rows("SELECT max(seq) FROM entries")
    return int(number)


def plain(db: Database, first: int, batch: int) -> float:
    """The rate of the peer: the same rows into a table with the same keys and nothing else."""
    columns = ", ".join(Entry._fields)
    db.execute(f"CREATE TABLE plain AS SELECT {columns}, hash FROM entries WHERE seq < 0")
    db.execute("CREATE UNIQUE INDEX plain_key ON plain (writer, seq)")
    db.execute("CREATE UNIQUE INDEX plain_identity ON plain (identity)")
    rows = [(*entry, stored) for entry, stored in islice(reader.chain(db, "bench"), first, None)]
    insert = f"INSERT INTO plain VALUES ({', '.join('?' * len(rows[0]))})"
    started = time.perf_counter()
    for at in range(0, len(rows), batch):
        with db.transaction():
            db.executemany(insert, rows[at : at + batch])
    rate = len(rows) / (time.perf_counter() - started)
    db.execute("DROP TABLE plain")
    return rate


def rates(name: str, db: Database, over: int) -> bool:
    print(name)
    first, right = 0, True
    for batch in (1, 50, 500):
        count = MEASURED // 10 if batch == 1 else MEASURED
        rate = fill(db, first, count, batch, over)
        peer = rate / plain(db, first, batch)
        limit = f", limit {LIMIT_PER_S:,}" if batch == 50 else ""
        print(f"  batches of {batch:<4} {rate:8,.0f} events/s, {peer:.2f} of plain INSERT{limit}")
        right &= batch != 50 or rate >= LIMIT_PER_S
        first += count
    return right


def served(over: int) -> bool:
    """The same on a PostgreSQL server with its own defaults: fsync, synchronous_commit."""
    if programs() is None:
        print("no PostgreSQL server: install Debian's postgresql, or your system's")
        return True
    with running() as server, TemporaryDirectory() as archive:
        db = connect_server(server.url, Secret(PASSWORD), archive, create=True)
        try:
            return rates("PostgreSQL", db, over)
        finally:
            db.close()


def reports(db: Database) -> bool:
    week = partial(reader.sums, db, since_us=NOW_US - 7 * 24 * HOUR_US + 1, until_us=NOW_US)
    slowest = 0.0
    for by in (["project", "model"], ["user_id"], ["day", "team"]):
        started = time.perf_counter()
        rows = week(by)
        slowest = max(slowest, took := time.perf_counter() - started)
        print(f"a week by {','.join(by):<14} {took * 1e3:8.1f} ms, {len(rows)} rows")
    started = time.perf_counter()
    reader.sums(db, ["project"], 0, NOW_US + HOUR_US)
    summed = time.perf_counter() - started
    started = time.perf_counter()
    db.rows("SELECT project, sum(prompt) FROM entries GROUP BY project")
    peer = summed / (time.perf_counter() - started)
    print(
        f"all time by project      {summed * 1e3:8.1f} ms, {peer:.3f} of one sum over the entries"
    )
    return slowest <= LIMIT_REPORT_S


VERIFY = """\
import resource, sys, time
from tokentop.runtime.ledger.verify import verify
from tokentop.transport.ledger.database import connect
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
db, before, started = connect(sys.argv[1]), peak(), time.perf_counter()
found = verify(db)
print(time.perf_counter() - started, peak() - before, len(found.faults))
"""


def verified(db: Database, size: int) -> bool:
    """Everything in a process of its own, then a checkpoint of 1,000 new entries."""
    done = subprocess.run([sys.executable, "-c", VERIFY, db.place], capture_output=True, check=True)
    took, grown, faults = map(float, done.stdout.split())
    peer = hashed(db, size) / took
    print(f"verify {took:8.1f} s, {size / took:,.0f} entries/s, {peer:.2f} of SHA-256 alone")
    print(f"verify's peak memory +{grown:.0f} MiB (limit {LIMIT_GROWTH_MIB:.0f})")
    key = Key("bench", bytes(32))
    sign(db, key)
    fill(db, size, 1000, 1000, size)
    started = time.perf_counter()
    sign(db, key)
    print(f"checkpoint after 1,000 more {(time.perf_counter() - started) * 1e3:8.1f} ms")
    return not faults and grown <= LIMIT_GROWTH_MIB


def hashed(db: Database, size: int) -> float:
    """Seconds that the two hashes of each of so many entries take, by themselves."""
    data = [encode(entry) for entry, _ in islice(reader.chain(db, "bench"), 20_000)]
    started = time.perf_counter()
    for each in data:
        sha256(each).digest()
        sha256(each).digest()
    return (time.perf_counter() - started) * size / len(data)


def archived(db: Database) -> None:
    """The first segments into files, which are then read again."""
    started = time.perf_counter()
    moved = list(islice(archive_until(db, NOW_US + 1), 2))
    took, count = time.perf_counter() - started, moved[-1].last_seq
    size = sum((Path(db.archive) / each.file).stat().st_size for each in moved)
    print(f"archive {took:8.1f} s, {count / took:,.0f} entries/s, {size / count:.0f} bytes each")
    started = time.perf_counter()
    read = sum(1 for _ in islice(reader.chain(db, "bench"), count))
    print(f"archives read at {read / (time.perf_counter() - started):,.0f} entries/s")


SCALED = f"""\
INSERT INTO entries (writer, seq, kind, identity, at_us, booked_us, feed, outcome, estimated,
  user_id, project, team, model, provider, engine, prompt, cached, generated, micro_usd, hash)
WITH RECURSIVE n (i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)
SELECT 'bench', i, 'usage', printf('litellm:%032x', i), {NOW_US} - ? * (? - i), {NOW_US}, 'litellm',
  'success', 0, printf('%016x', i * 7919 % 50), 'project-' || (i * 7919 % 10), 'blue',
  'model-' || (i % 4), 'openai', 'node-a', 100 + i % 900, 0, 50 + i % 400, 7, zeroblob(32) FROM n"""


def scaled(db: Database, size: int) -> bool:
    """Reports over as many entries, the rows of which SQL makes without a chain."""
    for (name,) in db.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        db.execute(f"DROP TRIGGER {name}")
    step = DAYS * 24 * HOUR_US // size
    for first in range(1, size + 1, 500_000):
        with db.transaction():
            db.execute(SCALED, (first, min(first + 499_999, size), step, size))
    keys = ", ".join(SUMS[: -len(Totals._fields)])
    sums = ", ".join(f"sum({name})" for name in Totals._fields)
    with db.transaction():
        db.execute(f"INSERT INTO hourly SELECT {keys}, {sums} FROM entry_sums GROUP BY {keys}")
    ((rows,),) = db.rows("SELECT count(*) FROM hourly")
    print(f"{count(db):,} entries, made by SQL without a chain, in {rows:,} hourly sums")
    return reports(db)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--reports", type=int)
    parser.add_argument("--folder")
    given = parser.parse_args()
    with TemporaryDirectory(dir=given.folder) as folder:
        path = Path(folder) / "ledger.sqlite3"
        db = connect(str(path), create=True)
        if given.reports:
            return 0 if scaled(db, given.reports) else 1
        right = served(given.entries)
        right &= rates("SQLite", db, given.entries)
        for first in range(count(db), given.entries, 100_000):
            fill(db, first, min(100_000, given.entries - first), 5000, given.entries)
        size = count(db)
        print(f"{size:,} entries, {path.stat().st_size / size:.0f} bytes each")
        right &= reports(db)
        right &= verified(db, size)
        archived(db)
        db.close()
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
