"""A PostgreSQL server of the tests' own, on a loopback port, without anything kept."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

PASSWORD = "s3cret-of-the-ledger"
USER = "ada"


def programs() -> str | None:
    """The folder of PostgreSQL's server programs; None where there are none."""
    found = shutil.which("postgres")
    places = [*glob("/usr/lib/postgresql/*/bin/postgres"), *([found] if found else [])]
    return os.path.dirname(os.path.realpath(places[-1])) if places else None


class PostgresServer:
    """Started and stopped as often as a test likes; its data stays until it is removed."""

    def __init__(self, folder: str) -> None:
        self._folder, self._process = folder, None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"
        (Path(folder) / "password").write_text(PASSWORD)
        shutil.chown(folder, **_owner())
        words = ["-D", f"{folder}/data", "-U", USER, "--auth=scram-sha-256", "-N", "-E", "UTF8"]
        self._run("initdb", *words, f"--pwfile={folder}/password", "--locale=C")

    def start(self) -> None:
        words = ["-p", str(self.port), "-k", self._folder, "-c", "listen_addresses=127.0.0.1"]
        self._process = subprocess.Popen(
            [f"{programs()}/postgres", "-D", f"{self._folder}/data", *words],
            **self._how(), **_as_user(),
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while self._run("pg_isready", "-h", "127.0.0.1", "-p", str(self.port), check=False):
            assert time.monotonic() < deadline, "PostgreSQL did not start"
            time.sleep(0.05)  # until a state: it accepts connections

    def stop(self, signal: str = "QUIT") -> None:
        """QUIT is a crash: connections break, and what was not committed is lost."""
        import signal as signals

        assert self._process is not None
        self._process.send_signal(getattr(signals, f"SIG{signal}"))
        self._process.wait(30)

    def _run(self, program: str, *words: str, check: bool = True) -> int:
        return subprocess.run(
            [f"{programs()}/{program}", *words], check=check, **self._how(), **_as_user()
        ).returncode

    def _how(self) -> dict[str, Any]:
        return {"cwd": self._folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


@contextmanager
def running() -> Iterator[PostgresServer]:
    """A new server, gone with its data afterwards."""
    folder = mkdtemp(prefix="tokentop-postgres-")
    try:
        server = PostgresServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _owner() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": "postgres"} if os.getuid() == 0 else {"user": os.getuid()}


def _as_user() -> dict[str, Any]:
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
