"""Listening TCP sockets: those of a network namespace, and which of them a process holds.

/proc/PID/net is readable for every user, /proc/PID/fd for the process's user and root only; so a
container's ports are always known, and the process behind each only sometimes.
"""

import _socket as socket  # see http/steps.py
import re
import sys
from collections.abc import Iterable

from tokentop.named_tuple import NamedTuple
from tokentop.transport.procfs import inode, link, read

LISTENING = b"0A"
MAX_READ = 256 * 1024  # listening sockets come first in the table

_LOCAL = rb"\|-- ([0-9.]+)\s+/32 host LOCAL\b"


class Listener(NamedTuple):
    """One listening socket; `host` is the address it is bound to, `inode` names it for good."""

    host: str
    port: int
    inode: int
    user: int


def listeners(root: str, pid: int | str) -> tuple[Listener, ...] | None:
    """All that listen in the process's network namespace; None where that is not readable."""
    tables = [read(root, f"{pid}/net/{name}", MAX_READ) for name in ("tcp", "tcp6")]
    if not any(tables):
        return None
    rows = (_listener(line) for table in tables for line in table.splitlines()[1:])
    return tuple(row for row in rows if row is not None)


def shares_our_network(root: str, pid: int) -> bool | None:
    """Whether loopback is the same for that process as for us; None where it cannot be read.

    The namespace's link is readable for the process's user and root only, the inode of its socket
    table for everybody; both mean the same.
    """
    for of, path in ((link, "ns/net"), (inode, "net/tcp")):
        there, here = of(root, f"{pid}/{path}"), of(root, f"self/{path}")
        if there is not None and here is not None:
            return there == here
    return None


def addresses(root: str, pid: int) -> frozenset[str]:
    """The IPv4 addresses of the process's network namespace, loopback left out."""
    found = re.findall(_LOCAL, read(root, f"{pid}/net/fib_trie", MAX_READ))
    return frozenset(a.decode() for a in found if not a.startswith(b"127."))


def reached_by(host: str) -> tuple[str, ...]:
    """The loopback addresses by which a socket bound to `host` is reached, the likeliest first."""
    if host == "0.0.0.0":
        return ("127.0.0.1",)
    if host == "::":  # takes IPv4 as well unless IPV6_V6ONLY is set, which /proc does not show
        return ("127.0.0.1", "::1")
    plain = host.removeprefix("::ffff:")
    return (plain,) if plain == "::1" or plain.startswith("127.") else ()


def at_port(port: int, sockets: Iterable[Listener]) -> list[Listener]:
    """Those that listen there and can be reached by loopback."""
    return [one for one in sockets if one.port == port and reached_by(one.host)]


def _listener(line: bytes) -> Listener | None:
    fields = line.split()
    if len(fields) < 10 or fields[3] != LISTENING:
        return None
    try:
        raw, _, port = fields[1].partition(b":")
        return Listener(_address(raw), int(port, 16), int(fields[9]), int(fields[7]))
    except ValueError:
        return None


def _address(raw: bytes) -> str:
    """An address as the kernel prints it: 32-bit words in the machine's own byte order."""
    words = (int(raw[at : at + 8], 16) for at in range(0, len(raw), 8))
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return socket.inet_ntop(socket.AF_INET6 if len(packed) == 16 else socket.AF_INET, packed)
