"""Gateways with the shipped examples, in front of a stand-in for an engine."""

import hmac
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import TextIO

import httpx

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
SECRET = b"of at least thirty-two characters"
_PATH = f"{os.environ['PATH']}:/usr/sbin:/usr/bin:/usr/local/bin"
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
    for old, new in ((8765, tokentop), (8000, engine)):
        example = re.sub(rf"(:|port_value: ){old}\b", rf"\g<1>{new}", example)
    command = _COMMANDS[kind](folder, example, port)
    log = (folder / f"{kind}.log").open("w+")
    process = subprocess.Popen(
        [str(program(command[0])), *command[1:]], stdout=log, stderr=log,
        env={"HOME": str(folder), "PATH": _PATH},
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(process, url, kind, log)
        yield url
    finally:
        process.send_signal(SIGTERM if kind == "nginx.conf" else SIGKILL)  # nginx has workers
        process.wait(PATIENCE_S)
        log.close()


def _nginx(folder: Path, example: str, port: int) -> list[str]:
    example = example.replace("listen 8080;", f"listen 127.0.0.1:{port};")
    path = _written(folder, "nginx.conf", NGINX.format(folder=folder, example=example))
    return ["nginx", "-c", path, "-p", str(folder)]


def _caddy(folder: Path, example: str, port: int) -> list[str]:
    example = CADDY + example.replace(":8080 {", f"http://127.0.0.1:{port} {{")
    path = _written(folder, "Caddyfile", example)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", path]


def _traefik(folder: Path, example: str, port: int) -> list[str]:
    path = _written(folder, "traefik.yml", example)
    return ["traefik", f"--providers.file.filename={path}",
            f"--entrypoints.web.address=127.0.0.1:{port}"]  # fmt: skip


def _envoy(folder: Path, example: str, port: int) -> list[str]:
    """Its users' tokens are signed with a secret that stands in a JWKS file."""
    keys = [{"kty": "oct", "alg": "HS256", "k": _base64(SECRET)}]
    jwks = _written(folder, "jwks.json", json.dumps({"keys": keys}))
    example = example.replace("port_value: 8080", f"port_value: {port}")
    path = _written(folder, "envoy.yaml", example.replace("/etc/envoy/jwks.json", jwks))
    return ["envoy", "-c", path, "--concurrency", "1", "--use-dynamic-base-id"]


_COMMANDS = {"nginx.conf": _nginx, "Caddyfile": _caddy, "traefik.yml": _traefik,
             "envoy.yaml": _envoy}  # fmt: skip


def _written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def key(kind: str, project: str | None) -> str:
    """What a client of that project sends as its API key; without a project an unknown one."""
    if kind != "envoy.yaml":
        return f"sk-{project}-change-me"
    claims = {"iss": "https://login.example", "project": project} if project else {}
    parts = [_base64(json.dumps(each).encode()) for each in ({"alg": "HS256"}, claims)]
    signature = hmac.digest(SECRET, ".".join(parts).encode(), "sha256")
    return ".".join([*parts, _base64(signature)])


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def program(name: str) -> str | None:
    """Where it is installed; None where it is not."""
    return shutil.which(name, path=_PATH)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(process: "subprocess.Popen[bytes]", url: str, kind: str, log: TextIO) -> None:
    """Until it has read its example, or its own words where it ends instead."""
    until = time.monotonic() + PATIENCE_S
    headers = {"authorization": f"Bearer {key(kind, 'alpha')}"}
    while time.monotonic() < until:
        with suppress(httpx.HTTPError):
            if httpx.get(url, headers=headers).status_code != 404:
                return
        if process.poll() is not None:
            log.seek(0)
            raise AssertionError(log.read())
        time.sleep(0.02)  # it has no other way to show that it is ready
    raise AssertionError("it does not answer")
