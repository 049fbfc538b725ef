"""Container ports published on this host, from the command lines of their proxies.

Every container's port has its own docker-proxy on the host, whose arguments name both ends; they
every user can read. Where forwarding is done by the kernel alone nothing is found here.
"""

from tokentop.named_tuple import NamedTuple
from tokentop.transport.discovery.sockets import reached_by
from tokentop.transport.procfs import Processes


class Published(NamedTuple):
    """A port of this host that leads to one of a container."""

    host: str  # the loopback address that reaches it
    port: int
    container_address: str
    container_port: int
    proxy: int  # the process that forwards


def published(processes: Processes) -> tuple[Published, ...]:
    """Every forwarded TCP port that loopback reaches."""
    found = (_of_proxy(pid, processes.argv(pid)) for pid in processes.pids())
    return tuple(one for one in found if one is not None)


def _of_proxy(pid: int, argv: tuple[str, ...]) -> Published | None:
    if not argv or not argv[0].endswith("docker-proxy"):
        return None
    flags = dict(zip(argv[1::2], argv[2::2], strict=False))
    hosts = reached_by(flags.get("-host-ip", "0.0.0.0"))
    try:
        port, inner = int(flags["-host-port"]), int(flags["-container-port"])
    except (KeyError, ValueError):
        return None
    if flags.get("-proto", "tcp") != "tcp" or not hosts:
        return None
    return Published(hosts[0], port, flags.get("-container-ip", ""), inner, pid)
