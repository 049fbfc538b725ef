"""The seven services on loopback, each of which can be made to misbehave while it runs.

with Stack() as stack:
    stack.misbehave("mint", hanging())
    subprocess.run([...], env=stack.environ())
    stack.recover("mint")
"""

import copy
import ssl
from collections.abc import Mapping
from typing import Self

from tests.servers.aither_answers import ANSWERS
from tests.servers.behaviours import ok, routes, slow
from tests.servers.loopback import Asked, Behaviour, Server

VARIABLES = {
    "genesis": "AITHER_GENESIS_URL",
    "microscheduler": "AITHER_MICROSCHEDULER_URL",
    "compute": "AITHER_COMPUTE_URL",
    "accel": "AITHER_ACCEL_URL",
    "parallel": "AITHER_PARALLEL_URL",
    "mint": "AITHER_STRATA_URL",
    "acta": "AITHER_ACTA_URL",
}


class Stack:
    """Servers by service name in `servers`; canned values by service and path in `answers`."""

    def __init__(
        self,
        answers: Mapping[str, Mapping[str, object]] = ANSWERS,
        *,
        tls: ssl.SSLContext | None = None,
        delay_s: float = 0.0,
    ) -> None:
        self.answers = {name: dict(copy.deepcopy(rows)) for name, rows in answers.items()}
        self._tables: dict[str, dict[str, Behaviour]] = {name: {} for name in self.answers}
        self._delay_s = delay_s
        self.servers = {
            name: Server(routes(table), tls=None if name == "genesis" else tls)
            for name, table in self._tables.items()
        }
        for name in self.answers:
            self.recover(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for server in self.servers.values():
            server.close()

    def url(self, name: str) -> str:
        return self.servers[name].url

    def environ(self) -> dict[str, str]:
        """`AITHER_*_URL` for the seven, and nothing else of that stack."""
        return {variable: self.url(name) for name, variable in VARIABLES.items()}

    def misbehave(self, name: str, behaviour: Behaviour, path: str | None = None) -> None:
        """From now on the service (or that one path of it) answers so."""
        for row in self.answers[name] if path is None else (path,):
            self._tables[name][row] = behaviour

    def answer(self, name: str, path: str, value: object) -> None:
        """Change one canned value; `recover` and later answers use it."""
        self.answers[name][path] = value
        self._tables[name][path] = self._good(value)

    def recover(self, name: str) -> None:
        """Back to the canned answers."""
        for path, value in self.answers[name].items():
            self._tables[name][path] = self._good(value)

    def asked(self, name: str) -> list[Asked]:
        """The requests that service has read."""
        return self.servers[name].asked

    def _good(self, value: object) -> Behaviour:
        return slow(self._delay_s, ok(value)) if self._delay_s else ok(value)
