"""Names and users of processes, from a /proc of our own making."""

import getpass
from pathlib import Path

import pytest

from tokentop.domain.snapshot import Process
from tokentop.transport.nvml.processes import GpuProcess, ProcessNames, largest


class Proc:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.people = ProcessNames(str(folder))

    def add(self, pid: int, command: str, *, name: str = "short", state: str = "S") -> None:
        home = self.folder / str(pid)
        home.mkdir()
        (home / "stat").write_bytes(f"{pid} ({name}) {state} 1 2 3\n".encode())
        (home / "cmdline").write_bytes(command.encode())


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/usr/local/bin/llama-server\0-m\0/models/x.gguf\0", "llama-server"),
        ("/usr/bin/python3\0-m\0vllm.entrypoints.openai.api_server\0--api-key\0k\0",
         "vllm.entrypoints.openai.api_server"),
        ("python3.11\0-u\0-X\0dev\0/srv/train.py\0--token\0secret\0", "train.py"),
        ("python\0-c\0print('password')\0", "python"),
        ("python3\0", "python3"),
        ("VLLM::EngineCore\0\0\0", "VLLM::EngineCore"),
        ("/opt/google/chrome/chrome --type=gpu --path=/x/y", "chrome"),
        ("", "short"),
        ("/bin/\x1b[31mred\0", "red"),
    ],
)  # fmt: skip
def test_what_runs(proc: Proc, command: str, name: str):
    """The program's base name, or the script or module; never its other arguments."""
    proc.add(7, command)
    assert proc.people.process(GpuProcess(7)).name == name


def test_a_stuck_process(proc: Proc):
    """Its command line is not read, which could block for as long as the process does."""
    proc.add(7, "/usr/bin/long-name\0", name="bad) (name", state="D")
    (proc.folder / "7" / "cmdline").unlink()
    (proc.folder / "7" / "cmdline").mkdir()
    assert proc.people.process(GpuProcess(7)).name == "bad) (name"


def test_the_user(proc: Proc):
    """The user is the owner of the process's folder."""
    proc.add(7, "x\0")
    assert proc.people.process(GpuProcess(7)).user == getpass.getuser()


def test_gone(proc: Proc):
    """A process that is not there has neither name nor user."""
    assert proc.people.process(GpuProcess(7, 5)) == Process(7, vram_bytes=5)


def test_remembered_until_forgotten(proc: Proc):
    """A name is read once, and anew after `forget`."""
    proc.add(7, "first\0")
    assert proc.people.process(GpuProcess(7)).name == "first"
    (proc.folder / "7" / "cmdline").write_text("second\0")
    assert proc.people.process(GpuProcess(7)).name == "first"
    proc.people.forget()
    assert proc.people.process(GpuProcess(7)).name == "second"


def test_the_largest_are_kept():
    """One claim a process, by size, the unknown last, no more than the limit."""
    claims = [
        GpuProcess(1, None),
        GpuProcess(2, 5),
        GpuProcess(3, 9),
        GpuProcess(2, 7),
        GpuProcess(4, 0),
    ]
    assert [(c.pid, c.vram_bytes) for c in largest(claims, 4)] == [
        (3, 9),
        (2, 7),
        (4, 0),
        (1, None),
    ]
    assert len(largest([GpuProcess(pid, pid) for pid in range(1000)])) == 64
