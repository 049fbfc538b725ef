"""The loopback ports of a process tree, as far as permissions and namespaces show them.

Any user may start a process with any name and arguments: a port named there counts only where what
listens belongs to that user too. Else another user could have us send requests to any service.
"""

from collections.abc import Iterable

from tokentop.named_tuple import NamedTuple
from tokentop.sources.engines.command_line import names_port
from tokentop.transport.discovery.process_trees import ProcessTree
from tokentop.transport.discovery.published import Published, published
from tokentop.transport.discovery.sockets import (
    Listener,
    addresses,
    at_port,
    listeners,
    reached_by,
    shares_our_network,
)
from tokentop.transport.procfs import MAX_DESCRIPTORS, Processes, SocketLinks, sockets, user

MAX_PORTS = 4
MAX_LINKS = 16_384  # of /proc/PID/fd, in one search
EPHEMERAL = 32_768  # from here on ports are the kernel's choice: rendezvous stores, message queues
NO_HTTP = (29_500,)  # torch.distributed's meeting point


class Place(NamedTuple):
    """A port with the loopback addresses that lead there, the likeliest first; see Candidate."""

    hosts: tuple[str, ...]
    port: int
    certain: bool = False
    inode: int = 0
    listening: bool | None = None
    guessed: bool = False


class _TreeSockets(NamedTuple):
    """The listening sockets of a process tree; `exact` where they are known to be its own."""

    mine: tuple[Listener, ...]
    exact: bool


class Network:
    """The listening sockets of our own network namespace, and what leads out of it."""

    def __init__(self, root: str, processes: Processes) -> None:
        self._root = root
        self._ours = listeners(root, "self")
        self._published = published(processes)
        self._links_left = MAX_LINKS
        self._users: dict[int, int | None] = {}

    def user(self, pid: int) -> int | None:
        """The process's user, read once."""
        if pid not in self._users:
            self._users[pid] = user(self._root, pid)
        return self._users[pid]

    def belongs_to(self, pid: int, port: int, own: Iterable[Listener] = ()) -> bool | None:
        """Whether all that loopback reaches at a port is of the process's user, or in `own`.

        None where nothing listens, or where that cannot be read.
        """
        there = at_port(port, self._ours or ())
        owner = self.user(pid) if there else None
        return all(one.user == owner or one in own for one in there) if there else None

    def place(self, port: int, *, certain: bool = False, host: str = "127.0.0.1") -> Place:
        """A port of this host; at `host` where the socket table has no address for it."""
        there = at_port(port, self._ours or ())
        hosts = dict.fromkeys(host for one in there for host in reached_by(one.host))
        order = sorted(hosts, key=lambda host: host == "::1") or [host]
        inode = there[0].inode if there else 0
        listening = None if self._ours is None else bool(there)
        return Place(tuple(order[:2]), port, certain, inode, listening)

    def places(self, tree: ProcessTree) -> list[Place]:
        """Where this process tree may answer, at most MAX_PORTS."""
        here = shares_our_network(self._root, tree.pids[0])
        tree_sockets = self._sockets_of(tree, here=here)
        ports = _chosen(tree, tree_sockets)[:MAX_PORTS]
        if here is False:
            return [place for port in ports for place in self._outside(tree, port)]
        host = "::1" if tree.command and tree.command.host in ("::1", "[::1]") else "127.0.0.1"
        reachable = [
            port
            for port in ports
            if not _bound_elsewhere(port, tree_sockets)
            and self.belongs_to(tree.pids[0], port, tree_sockets.mine) is not False
        ]
        return [
            self.place(
                port,
                certain=tree_sockets.exact and bool(at_port(port, tree_sockets.mine)),
                host=host,
            )
            for port in reachable
        ]

    def _sockets_of(self, tree: ProcessTree, *, here: bool | None) -> _TreeSockets:
        # The kernel takes milliseconds to write the table, so ours is read once.
        listening = (self._ours if here else listeners(self._root, tree.pids[0])) or ()
        seen = [links for pid in tree.pids if (links := self._links(pid)) is not None]
        held = frozenset[int]().union(*(links.inodes for links in seen))
        if seen and all(links.complete for links in seen):
            return _TreeSockets(tuple(s for s in listening if s.inode in held), exact=True)
        owner = self.user(tree.pids[0])
        mine = tuple(s for s in listening if s.user == owner or s.inode in held)
        return _TreeSockets(mine, exact=False)

    def _links(self, pid: int) -> SocketLinks | None:
        """A process's sockets, as long as there are links left to read in this search."""
        if self._links_left <= 0:
            return None
        found = sockets(self._root, pid, min(MAX_DESCRIPTORS, self._links_left))
        self._links_left -= found.read if found else 0
        return found

    def _outside(self, tree: ProcessTree, port: int) -> list[Place]:
        """Where another namespace's port is published here; else perhaps under its own number."""
        there = addresses(self._root, tree.pids[0])
        leading = [p for p in self._published if _leads_to(p, port, there)]
        own = [p for p in leading if self.belongs_to(p.proxy, p.port) is not False]
        if own:
            return [self.place(p.port, certain=True, host=p.host) for p in own]
        if self.belongs_to(tree.pids[0], port) is False:
            return []
        return [self.place(port)._replace(guessed=True)]


def _chosen(tree: ProcessTree, tree_sockets: _TreeSockets) -> list[int]:
    """The ports that may answer: the command line's, or what is open where it names none."""
    runners = {runner.port for runner in tree.runners}
    open_ports = sorted({s.port for s in tree_sockets.mine} - runners - set(NO_HTTP))
    command = tree.command
    if command is None:
        return open_ports if tree_sockets.exact else []
    if command.port is None:
        return []
    if command.port in open_ports or names_port(command, tree.argv):
        return [command.port]
    low = [port for port in open_ports if port < EPHEMERAL]
    return [command.port, *(low if tree_sockets.exact or len(low) < MAX_PORTS else ())]


def _bound_elsewhere(port: int, tree_sockets: _TreeSockets) -> bool:
    """Listening, and not where loopback leads."""
    return any(s.port == port for s in tree_sockets.mine) and not at_port(port, tree_sockets.mine)


def _leads_to(one: Published, port: int, there: frozenset[str]) -> bool:
    return one.container_port == port and (not there or one.container_address in there)
