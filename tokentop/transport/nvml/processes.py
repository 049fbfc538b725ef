"""Who holds the VRAM: a process's name and user by its number, read from /proc."""

import os
from typing import NamedTuple

from tokentop.domain.snapshot import Process
from tokentop.domain.text import clean

KEPT_PER_GPU = 64

_NAME_CELLS = 64
_STUCK = ("D", "Z")
_PYTHON_FLAGS_WITH_VALUE = ("-W", "-X")


class GpuProcess(NamedTuple):
    """One line of a GPU's process list; `instance` is the MIG GPU instance that it runs in."""

    pid: int
    vram_bytes: int | None = None
    instance: int | None = None


def largest(claims: list[GpuProcess], limit: int = KEPT_PER_GPU) -> list[GpuProcess]:
    """One claim a process, the largest first; compute and graphics lists name some twice."""
    best: dict[int, GpuProcess] = {}
    for claim in claims:
        known = best.get(claim.pid)
        if known is None or _size(claim) > _size(known):
            best[claim.pid] = claim
    return sorted(best.values(), key=lambda claim: (-_size(claim), claim.pid))[:limit]


def _size(claim: GpuProcess) -> int:
    """Its bytes, with the unknown below 0."""
    return -1 if claim.vram_bytes is None else claim.vram_bytes


class ProcessNames:
    """Names and users of processes, remembered until `forget`; users for good.

    Call it on the driver's thread only: a user name may be looked up over the network.
    """

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._known: dict[int, tuple[str | None, str | None]] = {}
        self._users: dict[int, str] = {}

    def forget(self) -> None:
        """Drop what was remembered of processes: numbers are used again, titles change."""
        self._known.clear()

    def process(self, claim: GpuProcess) -> Process:
        """The claim with name and user, None each where /proc does not tell."""
        if claim.pid not in self._known:
            self._known[claim.pid] = (self._name(claim.pid), self._user(claim.pid))
        name, user = self._known[claim.pid]
        return Process(claim.pid, name, user, claim.vram_bytes)

    def _name(self, pid: int) -> str | None:
        short, state = _stat(self._read(pid, "stat"))
        # The command line of a process stuck in the kernel can block its reader as well.
        line = "" if state in _STUCK else self._read(pid, "cmdline")
        return clean(_title(line) or short, _NAME_CELLS) or None

    def _user(self, pid: int) -> str | None:
        try:
            uid = os.stat(f"{self._proc}/{pid}").st_uid
        except OSError:
            return None
        if uid not in self._users:
            self._users[uid] = clean(_user_name(uid), _NAME_CELLS)
        return self._users[uid]

    def _read(self, pid: int, what: str) -> str:
        try:
            with open(f"{self._proc}/{pid}/{what}", "rb") as file:
                return file.read(4096).decode("utf-8", "replace")
        except OSError:
            return ""


def _stat(line: str) -> tuple[str, str]:
    """The name and the state letter in /proc/PID/stat; the name may hold spaces and brackets."""
    start, end = line.find("("), line.rfind(")")
    if start < 0 or end < start:
        return "", ""
    return line[start + 1 : end], line[end + 1 :].strip()[:1]


def _title(cmdline: str) -> str:
    """What runs, from the arguments: the program's base name, or what an interpreter was given."""
    if "\0" not in cmdline.rstrip("\0"):  # a title the process wrote over its arguments
        cmdline = cmdline.split(" -")[0]
    arguments = cmdline.rstrip("\0").split("\0")
    program = _base(arguments[0])
    if not program.startswith("python"):
        return program
    return _script(arguments[1:]) or program


def _script(arguments: list[str]) -> str:
    """The module or script name among Python's own arguments; nothing of the program's."""
    rest = iter(arguments)
    for argument in rest:
        if argument == "-m":
            return next(rest, "")
        if argument in _PYTHON_FLAGS_WITH_VALUE:
            next(rest, "")
        elif argument.startswith("-c"):
            return ""
        elif not argument.startswith("-"):
            return _base(argument)
    return ""


def _base(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _user_name(uid: int) -> str:
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError, OSError):
        return str(uid)
