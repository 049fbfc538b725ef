"""What earlier searches found at each socket, so that requests are not repeated without need.

A listening socket keeps its inode for life, so an answer stays true while the inode stays the
same: a server that has been replaced is identified anew at once. Times are wall clock, as the
cache outlives the process (persisted.py).
"""

from collections.abc import Iterable, Mapping
from threading import Thread

from tokentop.domain.engines.readings import EngineKind
from tokentop.light_typing import TYPE_CHECKING
from tokentop.named_tuple import NamedTuple

if TYPE_CHECKING:
    from tokentop.transport.discovery.candidates import Candidate

TTL_OTHER_S = 300.0  # answered, and is no engine
TTL_NO_ANSWER_S = 60.0  # accepted, and sent no answer
TTL_ENGINE_S = 300.0  # an engine
MAX_SOCKETS = 256


class Identity(NamedTuple):
    """The kind that answered at a socket, or None for no engine, and until when that holds.

    `host` is the address that answered.
    """

    kind: EngineKind | None
    until: float
    host: str
    version: str | None = None


Key = tuple[str, int, int]


class ProbeCache:
    """What each socket turned out to be; `reader` is the thread that last read /proc."""

    def __init__(self, known: Mapping[Key, Identity] | None = None) -> None:
        self._known: dict[Key, Identity] = dict(known or {})
        self.reader: Thread | None = None

    def recall(self, candidate: "Candidate", now: float) -> Identity | None:
        """What the candidate's socket was; an engine only while the socket is there."""
        identity = self._known.get(_key(candidate))
        if identity is None or not now <= identity.until <= now + TTL_OTHER_S:
            return None
        if identity.kind is None:
            return identity
        seen = candidate.inode and candidate.listening
        return identity if seen and identity.host in _hosts(candidate) else None

    def remember(self, candidate: "Candidate", identity: Identity) -> None:
        """Store it; the oldest entries go first."""
        self._known.pop(_key(candidate), None)
        self._known[_key(candidate)] = identity
        while len(self._known) > MAX_SOCKETS:
            del self._known[next(iter(self._known))]

    def items(self, now: float) -> Iterable[tuple[Key, Identity]]:
        """The entries that still hold."""
        return [(key, one) for key, one in self._known.items() if one.until >= now]


def _key(candidate: "Candidate") -> Key:
    return candidate.host, candidate.port, candidate.inode


def _hosts(candidate: "Candidate") -> tuple[str | None, ...]:
    return candidate.host, candidate.other_host
