"""The result of a search; apart from the search, so that reading a stored result loads little."""

from tokentop.domain.engines.readings import EngineKind
from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple

Source = Literal["gpu", "process", "port"]
"""What led to it: a GPU's process, a command line, or a usual port."""


class Found(NamedTuple):
    """One engine that answered. `pids`: all its processes, the server first; () where unknown.

    `argv_slots`, `model_hint`, `one_pool` and `kv_gpu_bytes` (Hints) are the command line's;
    `runners` are loopback origins where it is read too (Hints.runners).
    """

    kind: EngineKind
    url: str
    pids: tuple[int, ...] = ()
    argv_slots: int | None = None
    model_hint: str | None = None
    version: str | None = None
    source: Source = "port"
    runners: tuple[str, ...] = ()
    one_pool: bool | None = None
    kv_gpu_bytes: int | None = None


class Findings(NamedTuple):
    """One search's result, each part in order of port and host.

    `starting`: by its command line an engine, but it does not listen yet. `configured`: what
    /proc has about addresses that the user configured; no request was made to them.
    `complete` is False where the deadline came first. Of `candidates` addresses there was room for
    `tried` ones.
    """

    found: tuple[Found, ...] = ()
    starting: tuple[Found, ...] = ()
    configured: tuple[Found, ...] = ()
    complete: bool = True
    tried: int = 0
    candidates: int = 0
