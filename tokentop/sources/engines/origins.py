"""The addresses that a router names its backends by, as origins."""

import re
from collections.abc import Iterable

MAX_BACKENDS = 256
# Compiled when the first router is read.
_ORIGIN = r"(https?)://(?:[^/?#@\s]*@)?([A-Za-z0-9._:\[\]\-]{1,253})(?=[/?#]|\Z)"


def origins(addresses: Iterable[str]) -> tuple[str, ...]:
    """`scheme://host[:port]` of each address that is one, without repeats and user info."""
    found = (re.match(_ORIGIN, address) for address in addresses)
    return tuple(dict.fromkeys(f"{m[1]}://{m[2].lower()}" for m in found if m))[:MAX_BACKENDS]
