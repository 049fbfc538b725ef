"""Where the store of this host is."""

import os
from collections.abc import Mapping
from zlib import crc32

from tokentop.transport import user_state


def store_path(
    host: str, server: str | None = None, environ: Mapping[str, str] = os.environ
) -> str | None:
    """The store's path in the state directory; None where there is no directory to be trusted.

    Hosts that share a home directory have a store each, and so has each Prometheus `server` (its
    URL) whose fleet is watched from here.
    """
    directory = user_state.directory(environ)
    if directory is None:
        return None
    name = "".join(char if char.isalnum() or char in "-." else "_" for char in host)[:64]
    fleet = "" if server is None else f"-{crc32(server.encode()):08x}"
    return os.path.join(directory, f"history-{name}{fleet}.db")
