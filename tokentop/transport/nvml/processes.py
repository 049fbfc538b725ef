"""The processes that hold VRAM: name and user by their number, from /proc."""

from collections.abc import Sequence

from tokentop.domain.snapshot import Process
from tokentop.domain.text import clean, without_credentials
from tokentop.light_typing import TYPE_CHECKING
from tokentop.named_tuple import NamedTuple
from tokentop.transport import procfs

if TYPE_CHECKING:
    from tokentop.transport.nvml.process_usage import ProcessUsage

KEPT_PER_GPU = 64

_NAME_CELLS = 64
_MAX_ARGV = 4096  # bytes: the program's name stands at the beginning
_PYTHON_FLAGS_WITH_VALUE = ("-W", "-X")


class GpuProcess(NamedTuple):
    """One line of a GPU's process list.

    `instance` is the MIG GPU instance that it runs in, with its compute instance.
    """

    pid: int
    vram_bytes: int | None = None
    instance: tuple[int | None, int | None] | None = None


def largest(processes: list[GpuProcess], limit: int = KEPT_PER_GPU) -> list[GpuProcess]:
    """Each process once, the largest first; compute and graphics lists name some twice."""
    best: dict[int, GpuProcess] = {}
    for process in processes:
        known = best.get(process.pid)
        if known is None or _size(process) > _size(known):
            best[process.pid] = process
    return sorted(best.values(), key=lambda one: (-_size(one), one.pid))[:limit]


def _size(process: GpuProcess) -> int:
    """Its bytes, with the unknown below 0."""
    return -1 if process.vram_bytes is None else process.vram_bytes


class ProcessNames:
    """Names and users of processes, remembered until `forget`; users for good.

    Call it on the driver's threads only: a user name may be looked up over the network.
    """

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._known: dict[int, tuple[str | None, str | None]] = {}
        self._users: dict[int, str] = {}
        self._usage: ProcessUsage | None = None

    def forget(self) -> None:
        """Drop what was remembered of processes: numbers are used again, titles change."""
        self._known.clear()
        if self._usage is not None:
            self._usage.forget()

    @property
    def usage(self) -> "ProcessUsage":
        """What the processes take besides VRAM; made when the GPU page is first opened."""
        if self._usage is None:
            from tokentop.transport.nvml.process_usage import ProcessUsage

            self._usage = ProcessUsage(self._proc)
        return self._usage

    def process(self, one: GpuProcess) -> Process:
        """The process with name and user, None each where /proc has none."""
        known = self._known.get(one.pid)
        if known is None:
            known = self._known[one.pid] = (self._name(one.pid), self._user(one.pid))
        return Process(one.pid, *known, one.vram_bytes)

    def _name(self, pid: int) -> str | None:
        found = procfs.stat(self._proc, pid)
        if found is None:
            return None
        argv = procfs.argv(self._proc, pid, found.state, _MAX_ARGV)
        return clean(_title(argv) or found.name, _NAME_CELLS) or None

    def _user(self, pid: int) -> str | None:
        uid = procfs.user(self._proc, pid)
        if uid is None:
            return None
        if uid not in self._users:
            self._users[uid] = clean(_user_name(uid), _NAME_CELLS)
        return self._users[uid]


def _title(argv: Sequence[str]) -> str:
    """What runs, from the arguments: the program's base name, or what an interpreter was given."""
    if not argv:
        return ""
    if len(argv) == 1:  # a title the process wrote over its arguments
        return _base(without_credentials(argv[0]).split(" -")[0])
    program = _base(argv[0])
    if not program.startswith("python"):
        return program
    return _script(argv[1:]) or program


def _script(arguments: Sequence[str]) -> str:
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
