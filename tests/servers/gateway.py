"""nginx and Caddy with the shipped examples, in front of a stand-in for an engine."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path

PATIENCE_S = 20.0
NGINX = """\
daemon off; pid {folder}/pid; error_log stderr; user root; worker_processes 1;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  {example}
}}
"""
CADDY = "{\n\tadmin off\n\tauto_https off\n}\n"
ANSWER = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "tiny",
    "choices": [{"index": 0, "finish_reason": "stop",
                 "message": {"role": "assistant", "content": "ok"}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}  # fmt: skip


class Engine(ThreadingHTTPServer):
    """Answers chat completions; `seen` has the project that each request came with."""

    def __init__(self) -> None:
        self.seen: list[str | None] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Engine

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append(self.headers.get("x-tokentop-project"))
        body = json.dumps(ANSWER).encode()
        self.send_response(self.server.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the tests' output."""


@contextmanager
def engine() -> Iterator[Engine]:
    made = Engine()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()


@contextmanager
def gateway(kind: str, folder: Path, tokentop: int, engine: int) -> Iterator[str]:
    """The shipped example with these ports, on a port of its own; yields its address."""
    port = _free_port()
    example = files("tokentop").joinpath("share", kind).read_text("utf-8")
    example = example.replace(":8765", f":{tokentop}").replace(":8000", f":{engine}")
    path = folder / kind
    if kind == "nginx.conf":
        example = example.replace("listen 8080;", f"listen 127.0.0.1:{port};")
        path.write_text(NGINX.format(folder=folder, example=example))
        command = [_program("nginx"), "-c", str(path), "-p", str(folder)]
    else:
        path.write_text(CADDY + example.replace(":8080 {", f"http://127.0.0.1:{port} {{"))
        command = [_program("caddy"), "run", "--adapter", "caddyfile", "--config", str(path)]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={"HOME": str(folder), "PATH": "/usr/bin"}
    )
    try:
        _wait(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def _program(name: str) -> str:
    return shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin") or name


def has(name: str) -> bool:
    return shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin") is not None


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(process: "subprocess.Popen[str]", port: int) -> None:
    """Until something listens there; the program's own words where it ends instead."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            assert process.stderr is not None
            raise AssertionError(process.stderr.read())
        time.sleep(0.02)  # it has no other way to show that it is ready
    raise AssertionError("it does not listen")
