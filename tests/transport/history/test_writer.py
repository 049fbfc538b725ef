"""The writer's thread: nobody waits for it, and what goes wrong is one sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from tokentop.domain.history import Sample
from tokentop.domain.past import Stretch
from tokentop.transport.history.place import store_path
from tokentop.transport.history.reader import read
from tokentop.transport.history.store import Store
from tokentop.transport.history.writer import NO_PLACE, HistoryWriter

NOW = 1_800_000_000.0
MIB = 1024 * 1024
LONG_S = 20.0


def writer(path: str | None, report: Any = str, **more: float) -> HistoryWriter:
    made = HistoryWriter(lambda: path, 64 * MIB, report, **more)
    made.start()
    return made


def queued(path: str) -> list[float | None]:
    return [s.queued for s in read(path, Stretch(NOW - 3600, NOW), NOW).mean]


def test_what_is_pending_is_written_at_the_end(tmp_path: Path) -> None:
    path = str(tmp_path / "h.db")
    one = writer(path)
    for n in range(3):
        one.add(Sample(NOW - 4 * n, queued=float(n)))
    one.stop(LONG_S)
    assert queued(path) == [2.0, 1.0, 0.0]


def test_a_second_writer_is_told_once_and_follows_when_the_first_ends(tmp_path: Path) -> None:
    path, said = str(tmp_path / "h.db"), SimpleQueue[str]()
    first = Store(path, MIB)
    second = writer(path, said.put, flush_s=0.0, retry_s=0.0)
    assert f"process {os.getpid()}" in said.get(timeout=LONG_S)
    second.add(Sample(NOW - 4, queued=2.0))
    first.add([Sample(NOW - 8, queued=1.0)])
    first.close()
    second.add(Sample(NOW, queued=3.0))
    second.stop(LONG_S)
    assert said.empty()
    assert (queued(path)[0], queued(path)[-1]) == (1.0, 3.0)


def test_a_directory_that_others_can_write_to_is_no_place(tmp_path: Path) -> None:
    open_to_all = tmp_path / "tokentop"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    assert store_path("box", None, {"XDG_STATE_HOME": str(tmp_path)}) is None
    said = SimpleQueue[str]()
    writer(None, said.put).stop(LONG_S)
    assert said.get(timeout=LONG_S) == NO_PLACE


def test_each_host_and_each_fleet_has_a_store_of_its_own(tmp_path: Path) -> None:
    """Machines may share a home directory; a path is no way out of it."""
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    hosts = [("a", None), ("b", None), ("a", "http://one:9090"), ("a", "http://two:9090")]
    paths = {store_path(host, server, environ) for host, server in hosts}
    assert len(paths) == 4
    odd = store_path("../../etc/x", None, environ)
    assert odd is not None
    assert Path(odd).parent == tmp_path / "tokentop"


FULL = """
import json, os, resource, signal, sys
from queue import SimpleQueue
from tokentop.domain.history import Sample
from tokentop.transport.history.store import Store
from tokentop.transport.history.writer import HistoryWriter

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path, said, now = sys.argv[1], SimpleQueue(), 1_800_000_000.0
writer = HistoryWriter(lambda: path, 1 << 20, said.put, flush_s=0.0)
writer.start()
writer.add(Sample(now - 8, queued=1.0))
while not os.path.exists(path + "-wal"):
    pass
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
writer.add(Sample(now - 4, queued=2.0))
sentence = said.get(timeout=20)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
writer.add(Sample(now, queued=3.0))
writer.stop(20)
print(json.dumps([sentence, said.empty()]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits")
def test_a_disk_that_is_full_costs_nothing_once_there_is_room_again(tmp_path: Path) -> None:
    path = str(tmp_path / "h.db")
    done = subprocess.run(
        [sys.executable, "-c", FULL, path], capture_output=True, text=True, timeout=60, check=True
    )
    sentence, only_one = json.loads(done.stdout)
    assert sentence.startswith("The history waits to be written: ")
    assert only_one
    assert queued(path) == [1.0, 2.0, 3.0]
