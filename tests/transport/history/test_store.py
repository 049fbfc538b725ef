"""The store: what goes in comes back, whatever has happened to the file."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

import pytest

from tokentop.domain.history import Sample
from tokentop.domain.past import Past, PastError, Stretch
from tokentop.transport.history.reader import read, tier_for
from tokentop.transport.history.schema import (
    FIGURES,
    HOURS,
    MIGRATIONS,
    MINUTES,
    SAMPLES,
    migrate,
    version,
)
from tokentop.transport.history.store import Store, StoreError

NOW = 1_800_000_000.0  # a full hour
DAY_S = 86_400.0
MIB = 1024 * 1024


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "history-box.db")


@pytest.fixture
def store(path: str) -> Iterator[Store]:
    store = Store(path, 64 * MIB)
    yield store
    store.close()


def rows(path: str, query: str) -> list[tuple[float | None, ...]]:
    """What any other program finds in the file."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def last(path: str, span_s: float, now: float = NOW) -> Past:
    return read(path, Stretch(now - span_s, now), now)


def test_every_figure_of_a_sample_has_a_column() -> None:
    assert Sample._fields == ("t", *FIGURES)


def test_a_sample_comes_back(store: Store, path: str) -> None:
    """Each figure under its own name; an unknown one is unknown, not 0."""
    sample = Sample(NOW - 8, *(float(n) for n in range(len(FIGURES))))
    blank = Sample(NOW - 4, queued=0.0)
    store.add([sample, blank])
    past = last(path, 3600)
    assert past.low == past.mean == past.high == (sample, blank)
    assert rows(path, "SELECT queued, power_w FROM sample ORDER BY t")[1] == (0.0, None)


def test_a_minute_and_an_hour_have_the_lowest_mean_and_highest(store: Store, path: str) -> None:
    """An hour's mean is that of its minutes, so that faster polling weighs no more."""
    minutes = [[5.0, 1.0, 9.0], [4.0], [2.0, 6.0]]
    for minute, values in enumerate(minutes):
        for n, value in enumerate(values):
            store.add([Sample(NOW + 60 * minute + n, queued=value)])
    store.add([Sample(NOW + 30)])
    found = rows(path, "SELECT queued_min, queued_avg, queued_max, power_w_min FROM minute")
    assert found == [(min(v), mean(v), max(v), None) for v in minutes]
    found = rows(path, "SELECT t, queued_min, queued_avg, queued_max FROM hour")
    assert found == [(NOW * 1000, 1.0, mean(map(mean, minutes)), 9.0)]


def test_a_later_sample_of_the_same_time_replaces_the_earlier(store: Store, path: str) -> None:
    store.add([Sample(NOW, queued=50.0)])
    store.add([Sample(NOW, queued=3.0)])
    assert [s.queued for s in last(path, 60).mean] == [3.0]
    assert rows(path, "SELECT queued_max FROM minute") == [(3.0,)]
    assert rows(path, "SELECT queued_max FROM hour") == [(3.0,)]


@pytest.mark.parametrize(
    ("age_s", "tables"),
    [
        (0.99 * DAY_S, {"sample", "minute", "hour"}),
        (1.1 * DAY_S, {"minute", "hour"}),
        (29 * DAY_S, {"minute", "hour"}),
        (31 * DAY_S, {"hour"}),
        (729 * DAY_S, {"hour"}),
        (740 * DAY_S, set()),
    ],
)
def test_how_long_what_is_kept(store: Store, path: str, age_s: float, tables: set[str]) -> None:
    store.add([Sample(NOW - age_s, queued=1.0)])
    store.prune(NOW)
    full = {t for t in ("sample", "minute", "hour") if rows(path, f"SELECT 1 FROM {t}")}
    assert full == tables


def test_a_store_stays_under_its_cap_and_loses_the_oldest(path: str) -> None:
    cap = MIB
    store = Store(path, cap)
    for hour in range(24):
        first = NOW - DAY_S + 3600 * hour
        store.add(Sample(first + 4 * n, *(0.1 + n,) * len(FIGURES)) for n in range(900))
        store.prune(first + 3600)
    store.close()
    assert os.path.getsize(path) <= cap
    oldest, newest = rows(path, "SELECT min(t), max(t) FROM sample")[0]
    assert newest == (NOW - 4) * 1000
    assert oldest is not None
    assert NOW - DAY_S < oldest / 1000 < NOW - 2 * 3600
    assert rows(path, "SELECT count(*) FROM hour") == [(24,)]


def test_it_is_readable_for_its_user_alone(path: str) -> None:
    before = os.umask(0)
    try:
        store = Store(path, MIB)
        store.add([Sample(NOW)])
        modes = {name: os.stat(f"{path}{name}").st_mode & 0o777 for name in ("", "-wal", ".lock")}
        store.close()
    finally:
        os.umask(before)
    assert set(modes.values()) == {0o600}


def filled(path: str) -> bytes:
    store = Store(path, 64 * MIB)
    store.add(Sample(NOW - 4 * n, queued=float(n)) for n in range(2000))
    store.close()
    return Path(path).read_bytes()


@pytest.mark.parametrize("damage", ["page", "header", "short", "foreign"])
def test_a_damaged_store_is_set_aside(path: str, damage: str) -> None:
    """Whole, for whoever can mend it; a new one begins, and a sentence names both."""
    good = filled(path)
    page = b"\xff" * 4096
    bad = {
        "page": good[:8192] + page + good[12288:],
        "header": page + good[4096:],
        "short": good[: len(good) // 2],
        "foreign": good,
    }[damage]
    Path(path).write_bytes(bad)
    if damage == "foreign":
        rows(path, "PRAGMA application_id = 1")
        bad = Path(path).read_bytes()
    store = Store(path, 64 * MIB)
    store.add([Sample(NOW, queued=1.0)])
    store.close()
    (aside,) = Path(path).parent.glob("*.damaged-*")
    assert aside.read_bytes() == bad
    assert (
        store.found == f"The history was damaged: it is kept as {aside}, and a new one was begun."
    )
    assert [s.queued for s in last(path, 3600).mean] == [1.0]


def test_a_damaged_store_is_a_sentence_to_a_reader(path: str) -> None:
    filled(path)
    Path(path).write_bytes(b"\xff" * 9000)
    with pytest.raises(PastError, match=r"^The history cannot be read: it is damaged\.$"):
        last(path, 3600)


def test_a_store_of_a_newer_version_is_left_alone(path: str) -> None:
    filled(path)
    rows(path, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = Path(path).read_bytes()
    with pytest.raises(StoreError, match="written by a newer tokentop"):
        Store(path, MIB)
    with pytest.raises(PastError, match="newer version"):
        last(path, 3600)
    assert Path(path).read_bytes() == before


def test_an_older_store_is_brought_forward(path: str) -> None:
    """Version by version, with what it holds."""
    filled(path)
    later = (*MIGRATIONS, ("ALTER TABLE sample ADD COLUMN joules REAL",), ("DROP TABLE hour",))
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, later)
    assert version(connection) == len(MIGRATIONS) + 2
    count = connection.execute("SELECT count(*), count(joules) FROM sample").fetchone()
    connection.close()
    assert count == (2000, 0)
    with pytest.raises(sqlite3.OperationalError, match="no such table: hour"):
        rows(path, "SELECT * FROM hour")


def test_a_migration_that_breaks_off_leaves_the_store_as_it_was(path: str) -> None:
    filled(path)
    broken = (*MIGRATIONS, ("ALTER TABLE sample ADD COLUMN joules REAL", "not SQL"))
    connection = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, broken)
    connection.close()
    assert last(path, 60).mean[-1].queued == 0.0
    with pytest.raises(sqlite3.OperationalError, match="no such column"):
        rows(path, "SELECT joules FROM sample")


def test_a_second_writer_is_refused(store: Store, path: str) -> None:
    """It goes on without, and reads what the first one writes."""
    with pytest.raises(StoreError, match=rf"Another tokentop \(process {os.getpid()}\) keeps"):
        Store(path, MIB)
    store.add([Sample(NOW, queued=1.0)])
    assert [s.queued for s in last(path, 60).mean] == [1.0]


def test_the_next_writer_may_open_what_the_first_has_closed(store: Store, path: str) -> None:
    store.add([Sample(NOW - 8, queued=1.0)])
    store.close()
    after = Store(path, MIB)
    after.add([Sample(NOW - 4, queued=2.0)])
    after.close()
    assert [s.queued for s in last(path, 60).mean] == [1.0, 2.0]
    store._lock = os.open(os.devnull, os.O_RDONLY)  # the fixture closes it once more


def test_readers_do_not_block_the_writer(store: Store, path: str) -> None:
    """One in the middle of its reading sees what there was when it began."""
    store.add([Sample(NOW - 8, queued=1.0)])
    reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM sample").fetchone() == (1,)
    store.add([Sample(NOW - 4, queued=2.0)])
    store.prune(NOW)
    assert reader.execute("SELECT count(*) FROM sample").fetchone() == (1,)
    reader.close()
    assert len(last(path, 60).mean) == 2


WRITES = """
import sys
from tokentop.domain.history import Sample
from tokentop.transport.history.store import Store
store = Store(sys.argv[1], 1 << 20)
for n in range(1_000_000):
    store.add([Sample(1_800_000_000.0 + n, queued=float(n))])
    print(n, flush=True)
"""


def test_a_writer_that_is_killed_loses_nothing_it_has_written(path: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITES, path], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        while (line := writer.stdout.readline()) != "50\n":
            assert line
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    store = Store(path, MIB)
    assert store.found is None
    store.close()
    found = rows(path, "SELECT t FROM sample ORDER BY t LIMIT 51")
    assert found == [(1000 * (1_800_000_000 + n),) for n in range(51)]


def test_an_empty_place_is_an_empty_past(path: str) -> None:
    assert last(path, 3600) == Past()
    Path(path).touch()
    assert last(path, 3600) == Past()


@pytest.mark.parametrize(
    ("ago_s", "span_s", "table"),
    [
        (0, 3600, SAMPLES),
        (0, 6 * 3600, SAMPLES),
        (0, 12 * 3600, MINUTES),  # 72 s a slice
        (0, DAY_S, MINUTES),
        (2 * DAY_S, 3600, MINUTES),
        (0, 29 * DAY_S, HOURS),  # 70 minutes a slice
        (40 * DAY_S, 3600, HOURS),
        (0, 730 * DAY_S, HOURS),
        (900 * DAY_S, 3600, HOURS),
    ],
)
def test_a_stretch_comes_from_the_table_that_is_just_fine_enough(
    ago_s: float, span_s: float, table: object
) -> None:
    end = NOW - ago_s
    assert tier_for(Stretch(end - span_s, end), NOW) == table


def test_a_stretch_is_reduced_to_slices(store: Store, path: str) -> None:
    """Six hours of a second each: the extremes of a slice are not lost in its mean."""
    store.add(Sample(NOW - n, queued=float(n % 2), power_w=7.0) for n in range(6 * 3600))
    past = last(path, 6 * 3600)
    assert 600 <= len(past.mean) <= 601
    middle = (past.low[300].queued, past.mean[300].queued, past.high[300].queued)
    assert middle == (0.0, pytest.approx(0.5), 1.0)
    assert {s.power_w for s in (*past.low, *past.mean, *past.high)} == {7.0}
    assert [s.t for s in past.low] == [s.t for s in past.high] == sorted(s.t for s in past.mean)
