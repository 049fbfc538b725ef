"""Hostile servers in a process of their own.

python -m tests.benchmarks.hostile COUNT ATTACK prints COUNT URLs and serves until killed; an
attack is one of tests/servers/hostile.py by name, or `Prometheus`.
"""

import json
import sys
import threading
from contextlib import ExitStack

from tests.servers import hostile
from tests.servers.loopback import Server


def main(count: int, attack: str) -> None:
    answer = hostile.page(hostile.vector()) if attack == "Prometheus" else hostile.ATTACKS[attack]()
    with ExitStack() as stack:
        servers = [stack.enter_context(Server(answer)) for _ in range(count)]
        print(json.dumps([server.url for server in servers]), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
