"""What the soak's app polls: seven services, named engines, and engines that come and go.

python -m tests.benchmarks.soak_world SEED prints where they are, and answers every line on its
standard input with the name of one random change that it made.
"""

import json
import random
import re
import sys
from collections.abc import Callable
from typing import NamedTuple

from tests.benchmarks.farm import KINDS, engine
from tests.servers.behaviours import MISBEHAVIOURS, slow
from tests.servers.loopback import Behaviour, Connection, Server
from tests.servers.stack import Stack

NAMED, TRANSIENT = 6, 4
_MODEL = re.compile(rb'model_name="[^"]*"')


class Where(NamedTuple):
    """The services' variables, the URLs of the named engines, the ports of the others."""

    environ: dict[str, str]
    engines: list[str]
    ports: list[int]


class World:
    """Everything that answers; `change` makes one random change."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._stack = Stack()
        self._named = [Server(self._behaviour()) for _ in range(NAMED)]
        held = [Server(self._behaviour()) for _ in range(TRANSIENT)]
        self._transient: dict[int, Server | None] = {one.port: one for one in held}
        self._changes: tuple[Callable[[], str], ...] = (
            self._service, self._engine, self._engine, self._come_or_go, self._drop,
        )  # fmt: skip

    def where(self) -> Where:
        urls = [one.url for one in self._named]
        return Where(self._stack.environ(), urls, list(self._transient))

    def change(self) -> str:
        for server in (*self._stack.servers.values(), *self._named):
            server.asked.clear()
        return self._random.choice(self._changes)()

    def _behaviour(self) -> Behaviour:
        """An engine most of the time, else something that is none, or no good one."""
        if self._random.random() < 0.25:
            return self._random.choice(list(MISBEHAVIOURS.values()))
        kind = self._random.choice([*KINDS, "hanging"])
        answer = engine(kind, self._random.uniform(0, 300))
        answer = renamed(answer, f"model-{self._random.randrange(10_000)}")
        return slow(self._random.uniform(0, 1), answer) if self._random.random() < 0.2 else answer

    def _service(self) -> str:
        name = self._random.choice(list(self._stack.servers))
        if self._random.random() < 0.5:
            self._stack.recover(name)
            return f"{name} recovers"
        how = self._random.choice(list(MISBEHAVIOURS))
        self._stack.misbehave(name, MISBEHAVIOURS[how])
        return f"{name}: {how}"

    def _engine(self) -> str:
        server = self._random.choice(self._named)
        server.answer = self._behaviour()
        return f"{server.url} answers otherwise"

    def _come_or_go(self) -> str:
        port, server = self._random.choice(list(self._transient.items()))
        if server is not None:
            server.close()
            self._transient[port] = None
            return f"{port} closes"
        try:
            self._transient[port] = Server(self._behaviour(), port=port)
        except OSError:  # another program of this machine has taken it
            return f"{port} is taken"
        return f"{port} opens"

    def _drop(self) -> str:
        server = self._random.choice((*self._stack.servers.values(), *self._named))
        server.drop_connections()
        return f"{server.url} drops its connections"


def renamed(answer: Behaviour, model: str) -> Behaviour:
    """The same answers about a model of another name: names that come and go must not pile up."""
    label = f'model_name="{model}"'.encode()

    def behave(connection: Connection) -> bool:
        return answer(_Renaming(connection, label))

    return behave


class _Renaming(Connection):
    def __init__(self, inner: Connection, label: bytes) -> None:
        super().__init__(inner.server, inner.sock)
        self.asked = inner.asked
        self._label = label

    def send(self, data: bytes) -> None:
        head, blank, body = data.partition(b"\r\n\r\n")
        body = _MODEL.sub(self._label, body)
        head = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), head)
        super().send(head + blank + body)


def main(seed: int) -> None:
    world = World(seed)
    print(json.dumps(world.where()), flush=True)
    for _ in sys.stdin:
        print(world.change(), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
