"""The process table as /proc tells it: who started whom, with which arguments.

Nothing here raises: what cannot be read (another user's process, one that has just ended) is
empty or None. `root` is /proc, or a recorded tree of it.
"""

import os
from collections.abc import Iterable
from typing import NamedTuple

MAX_PROCESSES = 16_384
MAX_READ = 256 * 1024

_STUCK = ("D", "Z")  # reading the command line of a process stuck in the kernel can block as well
_MAX_ARGV = 32 * 1024


class Process(NamedTuple):
    """One process; `argv` is empty for kernel threads and where it is not told."""

    pid: int
    parent: int
    argv: tuple[str, ...] = ()


class Processes:
    """One look at the whole table."""

    def __init__(self, rows: Iterable[Process]) -> None:
        self._rows = {row.pid: row for row in rows}
        self._children: dict[int, list[int]] = {}
        for row in self._rows.values():
            self._children.setdefault(row.parent, []).append(row.pid)

    def __contains__(self, pid: int) -> bool:
        return pid in self._rows

    def pids(self) -> list[int]:
        """Every process number, rising."""
        return sorted(self._rows)

    def argv(self, pid: int) -> tuple[str, ...]:
        """The command line; empty where it is unknown."""
        row = self._rows.get(pid)
        return () if row is None else row.argv

    def children(self, pid: int) -> list[int]:
        """The processes it started, rising."""
        return sorted(self._children.get(pid, ()))

    def ancestors(self, pid: int) -> list[int]:
        """The process itself, its parent, its parent's parent, ... without number 1."""
        line: list[int] = []
        while pid in self._rows and pid > 1 and pid not in line:
            line.append(pid)
            pid = self._rows[pid].parent
        return line


def table(root: str = "/proc") -> Processes:
    """Everything that runs now, at most MAX_PROCESSES of it (the newest)."""
    try:
        pids = sorted((int(name) for name in os.listdir(root) if name.isdigit()), reverse=True)
    except OSError:
        pids = []
    found = (_process(root, pid) for pid in pids[:MAX_PROCESSES])
    return Processes(process for process in found if process is not None)


def environment(root: str, pid: int, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The values of these variables when the process was started; nothing else is kept."""
    wanted = {name.encode() for name in names}
    found: list[tuple[str, str]] = []
    for entry in read(root, f"{pid}/environ").split(b"\0"):
        name, equals, value = entry.partition(b"=")
        if equals and name in wanted:
            found.append((name.decode(), value[:1024].decode("utf-8", "replace")))
    return tuple(found)


def user(root: str, pid: int) -> int | None:
    """The effective user number; None where it is not told."""
    for line in read(root, f"{pid}/status").splitlines():
        fields = line.split()
        if len(fields) > 2 and fields[0] == b"Uid:" and fields[2].isdigit():
            return int(fields[2])
    return None


def read(root: str, path: str, limit: int = MAX_READ) -> bytes:
    """The beginning of one file of /proc; empty where it cannot be read."""
    try:
        with open(f"{root}/{path}", "rb") as file:
            return file.read(limit)
    except OSError:
        return b""


def _process(root: str, pid: int) -> Process | None:
    head, bracket, tail = read(root, f"{pid}/stat", 4096).rpartition(b")")  # a name may hold ") "
    fields = tail.split(maxsplit=2)
    if not head or not bracket or len(fields) < 2 or not fields[1].isdigit():
        return None
    stuck = fields[0].decode("latin-1") in _STUCK
    return Process(pid, int(fields[1]), () if stuck else _argv(root, pid))


def _argv(root: str, pid: int) -> tuple[str, ...]:
    line = read(root, f"{pid}/cmdline", _MAX_ARGV).rstrip(b"\0")
    if not line:
        return ()
    return tuple(argument.decode("utf-8", "replace") for argument in line.split(b"\0"))
