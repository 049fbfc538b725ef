"""Host names looked up on daemon threads, as nothing can interrupt a lookup that hangs."""

import _socket as socket  # see steps.py
from collections.abc import Callable
from functools import partial

from tokentop.light_typing import Any
from tokentop.threads import spawn

Address = tuple[int, tuple[Any, ...]]
"""Family and socket address, with port 0."""

Found = list[Address] | OSError
Told = Callable[[Found], None]


def look_up(host: str) -> Found:
    """The addresses of a host as the system orders them; waits as long as the system does."""
    try:
        # ASCII, as a str would load the idna codec
        found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return error if isinstance(error, OSError) else socket.gaierror(str(error))
    return [(family, address) for family, _, _, _, address in found]


def literal(host: str) -> list[Address] | None:
    """The address that `host` is itself; None for a name."""
    try:
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        if ":" not in host:
            return None
        flags = socket.AI_NUMERICHOST
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=flags)
        return [(family, address) for family, _, _, _, address in found]
    return [(socket.AF_INET, (host, 0))]


def at_port(address: Address, port: int) -> Address:
    """The same address at another port."""
    family, (host, _, *rest) = address
    return family, (host, port, *rest)


class Resolver:
    """Looks a name up once at a time, however many requests wait for it.

    Call it on one thread; `post` hands a callable over to that thread.
    """

    def __init__(
        self, post: Callable[[Callable[[], None]], None], look_up: Callable[[str], Found] = look_up
    ) -> None:
        self._post = post
        self._look_up = look_up
        self._pending: dict[str, list[Told]] = {}

    def addresses(self, host: str, told: Told) -> None:
        """Call `told` with the addresses once they are known, or with what went wrong."""
        if host in self._pending:
            self._pending[host].append(told)
            return
        self._pending[host] = [told]
        try:
            spawn(partial(self._work, host))
        except RuntimeError:  # no thread is left
            self._settle(host, OSError("no thread is left to look a name up"))

    def _work(self, host: str) -> None:
        found = self._look_up(host)
        self._post(lambda: self._settle(host, found))

    def _settle(self, host: str, found: Found) -> None:
        for told in self._pending.pop(host, ()):
            told(found)
