"""How many sockets may be open at once, so that files and modules can still be opened."""

import os
import threading

try:  # now, not when the first socket is opened: the driver's library may be loading by then
    import resource
except ImportError:  # no POSIX system
    resource = None  # type: ignore[assignment]

WANTED = 4096  # raised to this where the hard limit allows it
KEPT_FREE = 24  # for modules, the driver's devices, the cache, the terminal
FEW = 4  # sockets are tried whatever the limit says


class SocketBudget:
    """Counts the sockets of this process; every thread that opens one takes a place for it."""

    def __init__(self, total: int | None = None) -> None:
        self._lock = threading.Lock()
        self._total = total
        self._taken = 0

    def take(self) -> bool:
        """Whether another socket may be opened; each True is to be given back."""
        with self._lock:
            if self._total is None:
                self._total = _room()
            if self._taken >= self._total:
                return False
            self._taken += 1
            return True

    def give(self) -> None:
        """A socket was closed."""
        with self._lock:
            self._taken -= 1

    def exhausted(self) -> None:
        """The system refused another descriptor: what is open now is all there can be."""
        with self._lock:
            self._total = max(FEW, self._taken - 1)

    @property
    def total(self) -> int:
        """How many there may be."""
        with self._lock:
            if self._total is None:
                self._total = _room()
            return self._total


SOCKETS = SocketBudget()
"""This process's."""


def _room() -> int:
    """The descriptors that are left, some kept free; the soft limit is raised first."""
    return max(FEW, _raised_limit() - _in_use() - KEPT_FREE)


def _raised_limit() -> int:
    if resource is None:
        return 512
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY
    wanted = WANTED if unlimited else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft >= wanted:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return WANTED if soft == resource.RLIM_INFINITY else soft
    return wanted


def _in_use() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 2 * KEPT_FREE
