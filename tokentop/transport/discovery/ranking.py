"""Which of many processes named like engines are looked at: other users can start some too."""

import os
from collections import Counter
from collections.abc import Sequence

from tokentop.transport.discovery.ports import Network
from tokentop.transport.discovery.process_trees import Head

_ROOT = 0


def ranked(network: Network, heads: Sequence[Head]) -> list[Head]:
    """First what holds a GPU or listens at its own port; of those our own and root's first.

    Others' follow user by user in turns, so that no user's processes, however many, hide another's.
    """
    trusted = (_ROOT, os.geteuid())
    turns: Counter[tuple[bool, int | None]] = Counter()
    keys: dict[int, tuple[bool, bool, int]] = {}
    for head in heads:
        owner = network.user(head.pid)
        idle = not (head.on_gpu or _listens(network, head))
        turns[idle, owner] += 1
        keys[head.pid] = (idle, owner not in trusted, turns[idle, owner])
    return sorted(heads, key=lambda head: keys[head.pid])


def _listens(network: Network, head: Head) -> bool:
    return head.port is not None and network.belongs_to(head.pid, head.port) is True
