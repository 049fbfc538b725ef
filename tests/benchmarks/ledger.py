"""The ledger: events a second with chain and acknowledgement, verify, a report over many entries.

    python -m tests.benchmarks.ledger [--entries 1000000] [--folder DIR]

In the folder (else the system's temporary one) a file of about 320 bytes an entry is made and left
nowhere. Exits 1 where fewer than 2,000 events a second are booked in batches of 50, where a report
over a week takes over a second, or where verify's memory follows the number of entries.
"""

import argparse
import resource
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.domain.ledger.examples import HOUR_US, NOW_US, event
from tests.transport.ledger.test_ledger import valued
from tokentop.domain.ledger.event import UsageEvent
from tokentop.runtime.ledger.verify import verify
from tokentop.transport.ledger import reader
from tokentop.transport.ledger.database import Database, connect
from tokentop.transport.ledger.writer import Writer

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
    writer = Writer(db, "bench", valued)
    batches = [list(events(at, batch, over)) for at in range(first, first + count, batch)]
    started = time.perf_counter()
    for each in batches:
        writer.append(each, NOW_US)
    return count / (time.perf_counter() - started)


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def rates(db: Database, over: int) -> bool:
    first, right = 0, True
    for batch in (1, 50, 500):
        count = MEASURED // 10 if batch == 1 else MEASURED
        rate = fill(db, first, count, batch, over)
        limit = f" (limit {LIMIT_PER_S:,})" if batch == 50 else ""
        print(f"batches of {batch:<4} {rate:8,.0f} events a second{limit}")
        right &= batch != 50 or rate >= LIMIT_PER_S
        first += count
    return right


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
    print(f"all time by project      {(time.perf_counter() - started) * 1e3:8.1f} ms")
    return slowest <= LIMIT_REPORT_S


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--folder")
    given = parser.parse_args()
    with TemporaryDirectory(dir=given.folder) as folder:
        path = Path(folder) / "ledger.sqlite3"
        db = connect(str(path), create=True)
        right = rates(db, given.entries)
        there = sum(size for (size,) in db.rows("SELECT count(*) FROM entries"))
        for first in range(there, given.entries, 100_000):
            fill(db, first, min(100_000, given.entries - first), 5000, given.entries)
        print(f"{given.entries:,} entries, {path.stat().st_size / given.entries:.0f} bytes each")
        right &= reports(db)
        before, started = peak_mib(), time.perf_counter()
        found = verify(db)
        took, grown = time.perf_counter() - started, peak_mib() - before
        print(f"verify {took:8.1f} s, {found.chains[0].size / took:,.0f} entries a second")
        print(f"verify's peak memory +{grown:.0f} MiB (limit {LIMIT_GROWTH_MIB:.0f})")
        db.close()
    return 0 if right and not found.faults and grown <= LIMIT_GROWTH_MIB else 1


if __name__ == "__main__":
    sys.exit(main())
