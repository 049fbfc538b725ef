"""Processes that belong together: an engine's server, its workers, its runners.

A GPU is held by a worker whose parent (or whose parent's parent) listens; and a listening server
may have a sibling on the GPU. So a tree is everything below the process that launched it.
"""

from collections.abc import Callable, Iterable, Sequence

from tokentop.domain.engines.readings import EngineKind
from tokentop.named_tuple import NamedTuple
from tokentop.sources.engines import command_line as commands
from tokentop.sources.engines.command_line import Command
from tokentop.sources.engines.registry import spec
from tokentop.transport.procfs import Processes, environment

MAX_TREES = 64
MAX_MEMBERS = 256
MAX_CLIMB = 16
MAX_CLIMB_UNNAMED = 3

# Above these nothing belongs to the engine.
_LAUNCHERS = frozenset(
    ("systemd", "init", "sshd", "tmux", "screen", "login", "su", "conmon", "dockerd", "podman",
     "supervisord", "tini", "dumb-init", "docker-init", "kubelet", "slurmstepd", "cron", "crond",
     "node", "code")
)  # fmt: skip
_LAUNCHER_PREFIXES = ("containerd-shim", "s6-", "runsv", "gnome-")
_SHELLS = frozenset(("sh", "bash", "dash", "zsh", "fish", "ksh"))
# They hold GPUs and listen, and are no engines: no request is made to their ports.
_NO_ENGINES = (
    "jupyter", "ipykernel", "torchrun", "torch.distributed", "torch/distributed", "accelerate",
    "deepspeed", "raylet", "ray::", "tensorboard", "xorg", "xwayland", "gnome", "chrome", "firefox",
    "steam",
)  # fmt: skip


class Runner(NamedTuple):
    """A child that an engine started for one model, with the loopback port it listens at."""

    pid: int
    kind: EngineKind
    port: int | None


class ProcessTree(NamedTuple):
    """An engine's processes, the launching one first; `command` is None where it names none."""

    pids: tuple[int, ...]
    argv: tuple[str, ...] = ()
    environ: tuple[tuple[str, str], ...] = ()
    command: Command | None = None
    runners: tuple[Runner, ...] = ()
    on_gpu: bool = False


class Head(NamedTuple):
    """The launching process of a tree; `port` is the command line's, or the usual one."""

    pid: int
    on_gpu: bool = False
    port: int | None = None


class Trees(NamedTuple):
    """The trees that are looked at, and how many there are."""

    rows: tuple[ProcessTree, ...]
    total: int


Ranking = Callable[[Sequence[Head]], Sequence[Head]]


def process_trees(
    root: str, processes: Processes, gpu_pids: Iterable[int], ranking: Ranking = tuple
) -> Trees:
    """Every engine by its command line, and every other tree that holds a GPU.

    At most MAX_TREES: the first ones in the `ranking`.
    """
    relations = _Relations(processes)
    on_gpu = [pid for pid in gpu_pids if pid in processes]
    heads: dict[int, bool] = {}
    for pid in on_gpu:
        head = relations.named_head(pid) or relations.unnamed_head(pid)
        if head is not None:
            heads[head] = True
    for pid in relations.named():
        heads.setdefault(relations.named_head(pid) or pid, False)
    every = [Head(pid, gpu, _port(processes.argv(pid))) for pid, gpu in heads.items()]
    first = ranking(every)[:MAX_TREES]
    rows = (_tree(root, processes, relations, head.pid, head.on_gpu) for head in first)
    return Trees(tuple(rows), len(every))


def _port(argv: Sequence[str]) -> int | None:
    command = commands.read(argv)
    return None if command is None else command.port


def _tree(
    root: str, processes: Processes, relations: "_Relations", head: int, on_gpu: bool
) -> ProcessTree:
    argv = processes.argv(head)
    members = relations.members(head)
    if relations.kinds.get(head) is None:
        return ProcessTree(members, argv, on_gpu=on_gpu)
    environ = environment(root, head, commands.variables())
    runners = tuple(
        _runner(pid, relations.kinds[pid], processes.argv(pid))
        for pid in members[1:]
        if relations.runs(pid, head)
    )
    return ProcessTree(members, argv, environ, commands.read(argv, dict(environ)), runners, on_gpu)


def _runner(pid: int, kind: EngineKind, argv: Sequence[str]) -> Runner:
    command = commands.read(argv)
    return Runner(pid, kind, command.port if command is not None else None)


class _Relations:
    """Parents and children, with the kinds that the command lines name."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self.kinds: dict[int, EngineKind] = {}
        for pid in processes.pids():
            argv = processes.argv(pid)
            kind = commands.kind_of(argv[:16])
            if kind is not None:
                self.kinds[pid] = kind

    def named(self) -> list[int]:
        """The processes whose command lines name an engine."""
        return list(self.kinds)

    def named_head(self, pid: int) -> int | None:
        """The server that launched this process; an engine of another kind above it is not it."""
        head: int | None = None
        for one in self._processes.ancestors(pid)[:MAX_CLIMB]:
            kind = self.kinds.get(one)
            if kind is None:
                continue
            if head is not None and not _launches(kind, self.kinds[head]):
                break
            head = one
        return head

    def unnamed_head(self, pid: int) -> int | None:
        """What probably launched a GPU process of no known kind; None where it is no engine."""
        head = pid
        for one in self._processes.ancestors(pid)[: MAX_CLIMB_UNNAMED + 1]:
            argv = self._processes.argv(one)
            if one != pid and _is_launcher(argv):
                break
            if any(name in word.lower() for word in argv[:6] for name in _NO_ENGINES):
                return None
            head = one
        return head

    def members(self, head: int) -> tuple[int, ...]:
        """The head and all below it, but for engines of their own."""
        found = [head]
        for pid in found:
            below = self._processes.children(pid)
            found += [one for one in below if self._belongs(one, head) and one not in found]
            if len(found) >= MAX_MEMBERS:
                break
        return tuple(found[:MAX_MEMBERS])

    def runs(self, pid: int, head: int) -> bool:
        """Whether the child was started to run one model, on a port of its own."""
        kind, launcher = self.kinds.get(pid), self.kinds.get(head)
        if kind is None or launcher is None or spec(launcher).runner_kind is None:
            return False
        return _launches(launcher, kind)

    def _belongs(self, pid: int, head: int) -> bool:
        kind = self.kinds.get(pid)
        return kind is None or (head in self.kinds and _launches(self.kinds[head], kind))


def _launches(launcher: EngineKind, kind: EngineKind) -> bool:
    return kind in (launcher, spec(launcher).runner_kind)


def _is_launcher(argv: Sequence[str]) -> bool:
    if not argv:
        return True
    name = _base(argv[0].partition(":")[0].partition(" ")[0])
    if (
        name.removeprefix("-") in _SHELLS
    ):  # with a script it is a start script, and the engine's own
        return all(word.startswith("-") and "c" not in word for word in argv[1:])
    return name in _LAUNCHERS or name.startswith(_LAUNCHER_PREFIXES)


def _base(word: str) -> str:
    return word.rsplit("/", 1)[-1]
