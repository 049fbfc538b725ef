"""What small engines and other services answer, and processes that look like them."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.servers.behaviours import Behaviour, ok, raw, routes

VLLM: dict[str, object] = {
    "/version": {"version": "0.32.0"},
    "/v1/models": {"object": "list", "data": [{"id": "tiny", "owned_by": "vllm"}]},
    "/metrics": 'vllm:num_requests_running{model_name="tiny"} 0.0\n',
}
OLLAMA: dict[str, object] = {
    "/": "Ollama is running",
    "/api/version": {"version": "0.33.0"},
    "/v1/models": {"object": "list", "data": [{"id": "tiny", "owned_by": "library"}]},
}
LLAMACPP: dict[str, object] = {"/props": {"total_slots": 4, "build_info": "b11434"}}
PROMETHEUS: dict[str, object] = {
    "/": "<html>Prometheus</html>",
    "/metrics": "prometheus_build_info 1\nup 1\n",
    "/version": "<html>Prometheus</html>",
}
NVITOP: dict[str, object] = {"/metrics": 'gpu_memory_used_MiB{index="0"} 1.0\n'}


def answering(table: dict[str, object]) -> Behaviour:
    """A loopback server's behaviour out of such a table."""
    return routes({path: ok(_body(value)) for path, value in table.items()})


def redirecting_everything() -> Behaviour:
    """A web application that sends everybody to its login page."""
    return raw(b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n")


def web_app() -> Behaviour:
    """A single-page application: 200 with the same page, whatever is asked."""
    page = b"<!doctype html><title>Application</title>"
    return ok(page, content_type="text/html")


def _body(value: object) -> object:
    return value.encode() if isinstance(value, str) else value


class Launched(NamedTuple):
    """A running fake engine: its server's process, its worker's, and its port."""

    server: int
    worker: int
    port: int


_PROGRAM = """
import http.server, json, subprocess, sys
table, worker_argv = json.loads({table!r}), json.loads({worker!r})

class Handler(http.server.BaseHTTPRequestHandler):
    disable_nagle_algorithm = True
    def do_GET(self):
        value = table.get(self.path)
        body = value if isinstance(value, str) else json.dumps(value)
        self.send_response(404 if value is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *_): pass

port = int(sys.argv[sys.argv.index("--port") + 1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
wait = "import sys; sys.stdin.read()"
worker = subprocess.Popen(
    [worker_argv[0], "-c", wait, *worker_argv[1:]],
    executable=sys.executable,
    stdin=subprocess.PIPE,
)
print(worker.pid, server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def launched(
    folder: Path,
    name: str,
    table: dict[str, object],
    arguments: Sequence[str],
    *,
    worker: Sequence[str] = ("worker",),
    environ: Mapping[str, str] = os.environ,
) -> Iterator[Launched]:
    """Runs `python FOLDER/NAME ARGUMENTS --port FREE`, which answers `table` and has one child."""
    script = folder / name
    script.write_text(_PROGRAM.format(table=json.dumps(table), worker=json.dumps(worker)))
    command = [sys.executable, str(script), *arguments, "--port", str(free_port())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ, text=True) as process:
        try:
            assert process.stdout is not None
            worker_pid, port = process.stdout.readline().split()
            yield Launched(process.pid, int(worker_pid), int(port))
        finally:
            process.kill()  # the worker ends with its standard input


def free_port() -> int:
    """A loopback port where nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
