"""Where an engine may answer: the ports of engines' processes first, then the usual ports."""

from collections.abc import Iterable
from functools import partial

from tokentop.domain.engines.readings import EngineKind
from tokentop.domain.readings import GpusReading
from tokentop.domain.urls import is_loopback
from tokentop.named_tuple import NamedTuple
from tokentop.sources.engines.command_line import Command
from tokentop.sources.engines.registry import spec, usual_ports
from tokentop.transport.discovery.findings import Source
from tokentop.transport.discovery.ports import Network, Place
from tokentop.transport.discovery.process_trees import ProcessTree, process_trees
from tokentop.transport.discovery.ranking import ranked
from tokentop.transport.discovery.sockets import shares_our_network
from tokentop.transport.procfs import table

MAX_CANDIDATES = 64
USUAL_PLACES = 24  # of those; kept for the usual ports, however many processes name others


class SearchScope(NamedTuple):
    """Where to search; `root` is /proc or a recorded tree of it.

    `ports` are tried beside the `usual` ones, on every one of `hosts`; `exclude` never; `taken` are
    the (host, port) that the user configured: described from /proc, without a request.
    """

    gpu_pids: tuple[int, ...] = ()
    hosts: tuple[str, ...] = ("127.0.0.1",)
    ports: tuple[int, ...] = ()
    exclude: tuple[int, ...] = ()
    taken: tuple[tuple[str, int], ...] = ()
    usual: tuple[int, ...] = usual_ports()
    root: str = "/proc"


class Candidate(NamedTuple):
    """An address, with what is known of the processes behind it before any request.

    `certain`: the port is known to be theirs; `guessed`: it is theirs in another network namespace,
    and may be another server's here. `inode` names the listening socket, 0 where that is
    unknown; `listening` is None there. `runners` are origins where the engine is read too.
    """

    host: str
    port: int
    source: Source = "port"
    pids: tuple[int, ...] = ()
    argv: tuple[str, ...] = ()
    environ: tuple[tuple[str, str], ...] = ()
    command: Command | None = None
    runners: tuple[str, ...] = ()
    certain: bool = False
    other_host: str | None = None
    inode: int = 0
    listening: bool | None = None
    guessed: bool = False


class Choice(NamedTuple):
    """The candidates that are looked at, and how many there are."""

    rows: tuple[Candidate, ...]
    total: int


def candidates(search: SearchScope) -> tuple[Candidate, ...]:
    """At most MAX_CANDIDATES addresses, the likeliest first, none of them twice."""
    return choose(search).rows


def choose(search: SearchScope) -> Choice:
    """The candidates, with the number of those that there was no place for."""
    processes = table(search.root)
    network = Network(search.root, processes)
    trees = process_trees(search.root, processes, search.gpu_pids, partial(ranked, network))
    named = [c for tree in trees.rows for c in _of_tree(search.root, network, tree)]
    named.sort(key=_unlikeliness)
    runners = {port for tree in trees.rows for _, port in _runners(network, tree)}
    never = runners.union(search.exclude)
    named = _each_once(c for c in named if c.port not in never)
    usual = _each_once(c for c in _usual(search, network) if c.port not in never)
    kept = named[: MAX_CANDIDATES - min(len(usual), USUAL_PLACES)]
    rows = _each_once((*kept, *usual, *named[len(kept) :]))
    left_out = trees.total - len(trees.rows)
    return Choice(tuple(rows[:MAX_CANDIDATES]), len(rows) + left_out)


def is_taken(candidate: Candidate, taken: Iterable[tuple[str, int]]) -> bool:
    """Whether the user configured this address; loopback has several names."""
    ours = (_plain(candidate.host), candidate.port)
    return any((_plain(host), port) == ours for host, port in taken)


def gpu_pids(reading: GpusReading) -> tuple[int, ...]:
    """The processes that hold memory of a GPU, each once."""
    held = (p.pid for device in reading.devices for p in device.processes or ())
    return tuple(dict.fromkeys(held))


def _of_tree(root: str, network: Network, tree: ProcessTree) -> list[Candidate]:
    here = shares_our_network(root, tree.pids[0]) is not False
    blank = Candidate(
        "127.0.0.1",
        0,
        "gpu" if tree.on_gpu else "process",
        tree.pids,
        tree.argv,
        tree.environ,
        tree.command,
        _origins(network, tree) if here else (),
    )
    return [_at(place, blank) for place in network.places(tree)]


def _origins(network: Network, tree: ProcessTree) -> tuple[str, ...]:
    """Where else the engine is read: its children's ports, or the one of its metrics."""
    if tree.command is None:
        return ()
    readable = spec(tree.command.kind).runner_kind
    ports = [port for kind, port in _runners(network, tree) if kind == readable]
    metrics = tree.command.metrics_port
    if metrics is not None and network.belongs_to(tree.pids[0], metrics):
        ports.append(metrics)
    return tuple(f"http://127.0.0.1:{port}" for port in ports)


def _runners(network: Network, tree: ProcessTree) -> list[tuple[EngineKind, int]]:
    """The kinds and ports of its children that listen; a port that is only claimed is none."""
    return [
        (runner.kind, runner.port)
        for runner in tree.runners
        if runner.port is not None and network.belongs_to(runner.pid, runner.port)
    ]


def _each_once(found: Iterable[Candidate]) -> list[Candidate]:
    """The first candidate of every address."""
    best: dict[tuple[str, int], Candidate] = {}
    for one in found:
        best.setdefault((one.host, one.port), one)
    return list(best.values())


def _usual(search: SearchScope, network: Network) -> list[Candidate]:
    """The usual and the configured ports; on this host those first that are listening."""
    ports = tuple(dict.fromkeys((*search.ports, *search.usual)))
    found: list[Candidate] = []
    for host in dict.fromkeys(_plain(host) for host in search.hosts):
        if host == "127.0.0.1":
            places = [network.place(port) for port in ports]
            places.sort(key=lambda place: place.listening is False)
            found += [_at(place, Candidate(host, 0)) for place in places]
        else:
            found += [Candidate(host, port) for port in ports]
    return found


def _at(place: Place, candidate: Candidate) -> Candidate:
    return candidate._replace(
        host=place.hosts[0],
        other_host=place.hosts[1] if len(place.hosts) > 1 else None,
        port=place.port,
        certain=place.certain,
        inode=place.inode,
        listening=place.listening,
        guessed=place.guessed,
    )


def _unlikeliness(candidate: Candidate) -> tuple[bool, ...]:
    known = candidate.command is not None
    return not known, candidate.guessed, not candidate.certain, candidate.source != "gpu"


def _plain(host: str) -> str:
    return "127.0.0.1" if is_loopback(host) else host
