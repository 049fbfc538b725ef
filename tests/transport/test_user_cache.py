"""What is kept between calls: private, whole or nothing, and never trusted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tokentop.transport.discovery.candidates import Candidate
from tokentop.transport.discovery.findings import Findings, Found
from tokentop.transport.discovery.persisted import (
    keep_findings,
    recall_findings,
    recall_probe_cache,
)
from tokentop.transport.discovery.probe_cache import Identity, ProbeCache
from tokentop.transport.procfs import started
from tokentop.transport.user_cache import MAX_BYTES, keep, recall

NOW = 1_800_000_000.0
ENGINE = Found("vllm", "http://127.0.0.1:8000", (5, 6), 12, "tiny", "0.32.0", "gpu")
OLLAMA = Found("ollama", "http://[::1]:11434", runners=("http://127.0.0.1:45678",))


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_RUNTIME_DIR": str(tmp_path)}


def file_in(environ: dict[str, str], name: str = "rates") -> Path:
    return Path(environ["XDG_RUNTIME_DIR"]) / "tokentop" / f"{name}.json"


def test_what_is_kept_comes_back(environ: dict[str, str]) -> None:
    """A later value replaces the earlier one, and nothing is left beside it."""
    assert keep("rates", {"a": 1}, NOW, environ)
    assert keep("rates", {"a": 2}, NOW + 1, environ)
    assert recall("rates", 60, NOW + 2, environ) == {"a": 2}
    assert [path.name for path in file_in(environ).parent.iterdir()] == ["rates.json"]


def test_only_this_user_may_read_it(environ: dict[str, str]) -> None:
    """Whatever the umask is."""
    before = os.umask(0)
    try:
        keep("rates", 1, NOW, environ)
    finally:
        os.umask(before)
    assert file_in(environ).stat().st_mode & 0o777 == 0o600
    assert file_in(environ).parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("later", "fresh"), [(0, True), (60, True), (60.1, False), (-0.1, False), (float("nan"), False)]
)
def test_age(environ: dict[str, str], later: float, fresh: bool) -> None:
    """What is older than asked for, or from the future after a clock step, is nothing."""
    keep("rates", "value", NOW, environ)
    assert (recall("rates", 60, NOW + later, environ) == "value") is fresh


HOSTILE = {
    "empty": b"",
    "cut off": b'{"at": 1800000000.0, "val',
    "no object": b"[1]",
    "not utf-8": b"\xff\xfe",
    "no time": b'{"value": 1}',
    "time is text": b'{"at": "now", "value": 1}',
    "time is enormous": b'{"at": 1' + b"0" * 4000 + b', "value": 1}',
    "deep": b"[" * 200_000,
    "too large": b'{"at": 1800000000.0, "value": "' + b"x" * MAX_BYTES + b'"}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_damaged_file_is_no_file(environ: dict[str, str], name: str) -> None:
    """And is replaced by the next good one."""
    keep("rates", 1, NOW, environ)
    file_in(environ).write_bytes(HOSTILE[name])
    assert recall("rates", 60, NOW, environ) is None
    assert keep("rates", 2, NOW, environ)
    assert recall("rates", 60, NOW, environ) == 2


def test_links_and_pipes_are_not_followed(environ: dict[str, str], tmp_path: Path) -> None:
    """Neither for reading nor for writing: the link's target stays as it was."""
    keep("rates", 1, NOW, environ)
    target = tmp_path / "target"
    target.write_text(json.dumps({"at": NOW, "value": "theirs"}))
    file_in(environ).unlink()
    file_in(environ).symlink_to(target)
    assert recall("rates", 60, NOW, environ) is None
    assert keep("rates", 2, NOW, environ)
    assert "theirs" in target.read_text()
    file_in(environ).unlink()
    os.mkfifo(file_in(environ))
    assert recall("rates", 60, NOW, environ) is None


def test_another_network_namespace_has_other_servers(environ: dict[str, str]) -> None:
    """What was kept on the host is not believed in a container that shares the directory."""
    keep("rates", 1, NOW, environ)
    written = json.loads(file_in(environ).read_text())
    assert written["network"] == os.readlink("/proc/self/ns/net")
    file_in(environ).write_text(json.dumps(written | {"network": "net:[4026531999]"}))
    assert recall("rates", 60, NOW, environ) is None


def test_a_directory_others_can_write_to_is_not_used(environ: dict[str, str]) -> None:
    """Nor one that is a link; nor a file that others can write to."""
    keep("rates", 1, NOW, environ)
    folder = file_in(environ).parent
    file_in(environ).chmod(0o666)
    assert recall("rates", 60, NOW, environ) is None
    file_in(environ).chmod(0o600)
    folder.chmod(0o777)
    fallback = {**environ, "TMPDIR": str(folder / "nowhere")}
    assert recall("rates", 60, NOW, fallback) is None
    assert not keep("rates", 1, NOW, fallback)
    folder.chmod(0o700)
    moved = folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to(moved)
    assert recall("rates", 60, NOW, fallback) is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_somebody_elses_directory_is_not_used(environ: dict[str, str], tmp_path: Path) -> None:
    """Made in time by somebody who guessed the name."""
    theirs = tmp_path / f"tokentop-{os.getuid()}"
    theirs.mkdir(0o700)
    os.chown(theirs, 12345, 12345)
    there = {"XDG_RUNTIME_DIR": str(tmp_path / "none"), "TMPDIR": str(tmp_path)}
    assert not keep("rates", 1, NOW, there)


def test_without_a_runtime_directory_the_temporary_one_serves(tmp_path: Path) -> None:
    """In a directory of our own that nobody else can look into."""
    there = {"XDG_RUNTIME_DIR": str(tmp_path / "none"), "TMPDIR": str(tmp_path)}
    assert keep("rates", 1, NOW, there)
    assert recall("rates", 60, NOW, there) == 1
    (made,) = tmp_path.iterdir()
    assert made.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("value", [float("nan"), object(), "x" * MAX_BYTES])
def test_what_cannot_be_kept_is_refused(environ: dict[str, str], value: object) -> None:
    """Without touching what is there."""
    keep("rates", 1, NOW, environ)
    assert not keep("rates", value, NOW, environ)
    assert recall("rates", 60, NOW, environ) == 1


def test_findings_come_back_within_ten_minutes(environ: dict[str, str]) -> None:
    """As they were; engines that only start are left out."""
    findings = Findings((ENGINE, OLLAMA), starting=(ENGINE,), configured=(ENGINE,))
    assert keep_findings(findings, ProbeCache(), NOW, environ)
    assert recall_findings(NOW + 600, environ) == findings._replace(starting=())
    assert recall_findings(NOW + 601, environ) is None


def test_an_ended_process_is_searched_for_again(environ: dict[str, str]) -> None:
    """Its port and its number may be another program's: they are known by the start time too."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as server:
        findings = Findings((ENGINE._replace(pids=(server.pid,)),))
        keep_findings(findings, ProbeCache(), NOW, environ)
        assert recall_findings(NOW + 1, environ) == findings
        path = file_in(environ, "discovery")
        written = json.loads(path.read_text())
        ((pid, ticks),) = written["value"]["processes"]
        assert (pid, ticks) == (server.pid, started("/proc", server.pid))
        written["value"]["processes"] = [[pid, ticks - 1]]
        path.write_text(json.dumps(written))
        assert recall_findings(NOW + 1, environ) is None
        keep_findings(findings, ProbeCache(), NOW, environ)
        server.communicate(b"\n")
    assert recall_findings(NOW + 1, environ) is None


def test_an_unfinished_search_is_searched_again(environ: dict[str, str]) -> None:
    """What it did not find may be there; which ports it asked is remembered all the same."""
    memory = ProbeCache()
    candidate = Candidate("127.0.0.1", 8000, inode=7, listening=True)
    identity = Identity(None, NOW + 300, "127.0.0.1")
    memory.remember(candidate, identity)
    keep_findings(Findings(complete=False), memory, NOW, environ)
    assert recall_findings(NOW, environ) is None
    assert recall_probe_cache(NOW, environ).recall(candidate, NOW) == identity


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "ssh"},
        {"url": "http://203.0.113.5:8000"},
        {"url": "http://user@127.0.0.1:8000"},
        {"url": "http://127.0.0.1:8000/path"},
        {"source": 7},
    ],
)
def test_a_hostile_row_is_dropped(environ: dict[str, str], change: dict[str, object]) -> None:
    """It costs itself only."""
    rows = [list(ENGINE._asdict() | change), list((ENGINE._asdict() | change).values())]
    kept = {"found": [*rows, list(OLLAMA)], "complete": True}
    keep("discovery", kept, NOW, environ)
    assert recall_findings(NOW, environ) == Findings((OLLAMA,))


def test_a_remembered_engine_answers_at_the_candidates_own_address_only() -> None:
    """A kept identity cannot send anybody elsewhere."""
    candidate = Candidate("127.0.0.1", 8000, inode=7, listening=True)
    elsewhere = {("127.0.0.1", 8000, 7): Identity("vllm", NOW + 300, "203.0.113.5")}
    assert ProbeCache(elsewhere).recall(candidate, NOW) is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(found=anything, rows=st.lists(st.lists(anything, min_size=7, max_size=8), max_size=3))
def test_no_kept_file_raises(environ: dict[str, str], found: object, rows: object) -> None:
    """Whatever JSON stands there."""
    keep("discovery", {"found": found, "sockets": rows, "complete": True}, NOW, environ)
    recall_findings(NOW, environ)
    memory = recall_probe_cache(NOW, environ)
    memory.recall(Candidate("127.0.0.1", 8000), NOW)
    keep_findings(Findings(), memory, NOW, environ)
