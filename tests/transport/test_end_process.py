"""Ending a process: a real child, real signals; nothing but what was shown gets one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tokentop.transport import procfs
from tokentop.transport.end_process import end, refusal

DEAF = "import signal, time; signal.signal(15, 1); print(flush=True); time.sleep(600)"
PLAIN = "import time; print(flush=True); time.sleep(600)"


@pytest.fixture
def child(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    """A child of ours that has started."""
    code = getattr(request, "param", PLAIN)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def started(pid: int) -> int:
    found = procfs.usage("/proc", pid)
    assert found is not None
    return found.started


def test_sigterm_ends_it(child: subprocess.Popen[bytes]) -> None:
    """The process that was shown gets SIGTERM."""
    assert end(child.pid, started(child.pid), force=False) is None
    assert child.wait(10) == -15


@pytest.mark.parametrize("child", [DEAF], indirect=True)
def test_sigkill_ends_one_that_ignores_sigterm(child: subprocess.Popen[bytes]) -> None:
    """The second wish is not to be refused."""
    assert end(child.pid, started(child.pid), force=False) is None
    assert child.poll() is None
    assert end(child.pid, started(child.pid), force=True) is None
    assert child.wait(10) == -9


def test_another_process_with_the_same_pid_is_left_alone(child: subprocess.Popen[bytes]) -> None:
    """What started at another time is not what was shown."""
    why = end(child.pid, started(child.pid) - 1, force=True)
    assert why == f"{child.pid} is another process by now; nothing was sent"
    assert child.poll() is None


def test_one_that_is_not_visible_here(child: subprocess.Popen[bytes]) -> None:
    """Without a start time nothing tells it from another one."""
    assert "not visible" in (end(child.pid, None, force=True) or "")
    assert child.poll() is None


def test_one_that_has_ended(child: subprocess.Popen[bytes]) -> None:
    """It has ended already: nobody is signalled."""
    at = started(child.pid)
    child.kill()
    child.wait(10)
    assert end(child.pid, at, force=False) == f"{child.pid} has ended already"


def test_anothers_process(tmp_path: Path) -> None:
    """The owner is named, also to root; nothing is sent."""
    folder = tmp_path / "4242"
    folder.mkdir()
    fields = " ".join(["S", *["0"] * 18, "777", "0", "9"])
    (folder / "stat").write_text(f"4242 (vllm) {fields}\n")
    (folder / "status").write_text(f"Name:\tvllm\nUid:\t1\t{os.geteuid() + 70_000}\t1\t1\n")
    why = refusal(4242, 777, str(tmp_path))
    assert (
        why
        == f"4242 belongs to user {os.geteuid() + 70_000}; only your own processes are ended here"
    )
