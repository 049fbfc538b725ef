"""All that is read from /proc: processes, their command lines, environments, users and links.

Nothing here raises: what cannot be read (another user's process, one that has just ended) is
empty or None. `root` is /proc, or a recorded tree of it.
"""

import os
from collections.abc import Iterable, Iterator
from itertools import islice

from tokentop.named_tuple import NamedTuple

MAX_PROCESSES = 16_384
MAX_READ = 256 * 1024
MAX_DESCRIPTORS = 1024  # listening sockets are opened early, and so have low numbers

_STUCK = ("D", "Z")  # reading the command line of a process stuck in the kernel can block as well
_MAX_STAT = 4096
_MAX_ARGV = 32 * 1024


class Stat(NamedTuple):
    """A process's short name (15 characters), its state letter, and the process that started it."""

    name: str
    state: str
    parent: int


class Process(NamedTuple):
    """One process; `argv` is empty for kernel threads and where it cannot be read."""

    pid: int
    parent: int
    argv: tuple[str, ...] = ()


class Usage(NamedTuple):
    """CPU time and start in clock ticks (the start since the boot), resident memory in pages."""

    state: str
    cpu_ticks: int
    started: int
    resident_pages: int


class SocketLinks(NamedTuple):
    """The inodes of a process's open sockets, of the `read` links; `complete` if those are all."""

    inodes: frozenset[int]
    read: int
    complete: bool


class Processes:
    """The whole process table at one moment."""

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


def stat(root: str, pid: int) -> Stat | None:
    """The fields of /proc/PID/stat; None where it cannot be read."""
    head, bracket, tail = read(root, f"{pid}/stat", _MAX_STAT).rpartition(b")")
    fields = tail.split(maxsplit=2)  # behind the last bracket: a name may hold ") " itself
    if not bracket or len(fields) < 2 or not fields[1].isdigit():
        return None
    name = head.partition(b"(")[2].decode("utf-8", "replace")
    return Stat(name, fields[0].decode("latin-1"), int(fields[1]))


def argv(root: str, pid: int, state: str, limit: int = _MAX_ARGV) -> tuple[str, ...]:
    """The command line's first `limit` bytes as arguments; empty in a `state` that may block."""
    if state in _STUCK:
        return ()
    line = read(root, f"{pid}/cmdline", limit).rstrip(b"\0")
    if not line:
        return ()
    return tuple(argument.decode("utf-8", "replace") for argument in line.split(b"\0"))


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
    """The effective user number; None where it cannot be read.

    Under hidepid=1 others' files are closed, and the owner of the folder is the user.
    """
    fields = read(root, f"{pid}/status", _MAX_STAT).partition(b"\nUid:")[2].split(maxsplit=2)
    if len(fields) > 1 and fields[1].isdigit():
        return int(fields[1])
    try:
        return os.stat(f"{root}/{pid}").st_uid
    except OSError:
        return None


def started(root: str, pid: int) -> int | None:
    """When the process was started, clock ticks since the boot: with its number it names it."""
    fields = read(root, f"{pid}/stat", _MAX_STAT).rpartition(b")")[2].split()
    return int(fields[19]) if len(fields) > 19 and fields[19].isdigit() else None


def usage(root: str, pid: int) -> Usage | None:
    """What /proc/PID/stat has of its CPU time, start and memory; None where it cannot be read."""
    fields = read(root, f"{pid}/stat", _MAX_STAT).rpartition(b")")[2].split()
    numbers = [fields[place] for place in (11, 12, 19, 21)] if len(fields) > 21 else []
    if not numbers or not all(number.isdigit() for number in numbers):
        return None
    in_user, in_kernel, start, resident = map(int, numbers)
    return Usage(fields[0].decode("latin-1"), in_user + in_kernel, start, resident)


def uptime_s(root: str) -> float | None:
    """Seconds since the boot; None where it cannot be read."""
    first = read(root, "uptime", 64).partition(b" ")[0]
    try:
        return float(first)
    except ValueError:
        return None


def sockets(root: str, pid: int, limit: int = MAX_DESCRIPTORS) -> SocketLinks | None:
    """The process's sockets among its first `limit` descriptors; None where those are hidden."""
    try:
        with os.scandir(f"{root}/{pid}/fd") as entries:
            names = [entry.name for entry in islice(entries, limit + 1)]
    except OSError:
        return None
    targets = (link(root, f"{pid}/fd/{name}") for name in names[:limit])
    inodes = frozenset(_inodes(target for target in targets if target))
    return SocketLinks(inodes, min(len(names), limit), len(names) <= limit)


def read(root: str, path: str, limit: int = MAX_READ) -> bytes:
    """The first `limit` bytes of one file of /proc; empty where it cannot be read."""
    try:
        with open(f"{root}/{path}", "rb") as file:
            return file.read(limit)
    except OSError:
        return b""


def link(root: str, path: str) -> str | None:
    """Where a symbolic link leads; None where it cannot be read."""
    try:
        return os.readlink(f"{root}/{path}")
    except OSError:
        return None


def inode(root: str, path: str) -> int | None:
    """The inode of a file; None where there is none."""
    try:
        return os.stat(f"{root}/{path}").st_ino
    except OSError:
        return None


def _process(root: str, pid: int) -> Process | None:
    found = stat(root, pid)
    if found is None:
        return None
    return Process(pid, found.parent, argv(root, pid, found.state))


def _inodes(targets: Iterable[str]) -> Iterator[int]:
    for target in targets:
        number = target.removeprefix("socket:[").removesuffix("]")
        if number != target and number.isdigit():
            yield int(number)
