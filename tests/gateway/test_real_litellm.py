"""The plugin in a real LiteLLM proxy, in front of an engine's stand-in and before a real ledger."""

import json
import os
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.command import environment, started
from tests.runtime.serve.greeting import port_of
from tests.test_packaging import ROOT
from tests.transport.discovery.engines import free_port

LITELLM = shutil.which("litellm")
pytestmark = pytest.mark.skipif(LITELLM is None, reason="no LiteLLM: pip install 'litellm[proxy]'")
BOOT_S = 180.0  # it imports for half a minute on two cores
PATIENCE_S = 30.0
MASTER = "sk-tokentop-test-3f9c1d7a5b2e48609f1c"
AUTH = """
from litellm.proxy._types import UserAPIKeyAuth
async def user_api_key_auth(request, api_key):
    return UserAPIKeyAuth(api_key=api_key, user_id="ada", team_id="t-1", team_alias="Blue",
                          metadata={"project": "alpha"})
"""


class Streaming(BaseHTTPRequestHandler):
    """A stream without an end; `sent` counts its tokens, a word each."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    sent = 0

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        delta = {"index": 0, "delta": {"content": "word "}, "finish_reason": None}
        part = {"id": "chatcmpl-s", "object": "chat.completion.chunk", "created": 1,
                "model": "tiny", "choices": [delta]}  # fmt: skip
        with suppress(OSError):
            for type(self).sent in range(1, 5000):
                self.wfile.write(f"data: {json.dumps(part)}\n\n".encode())
                self.wfile.flush()
                time.sleep(0.02)  # an engine's pace
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing on the tests' output."""


class Engine(Streaming):
    """An OpenAI-compatible engine: 7 prompt and 3 generated tokens."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if asked.get("stream"):
            self.stream()
            return
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        message = {"role": "assistant", "content": "a b c"}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        self.answer({"id": f"chatcmpl-{time.time_ns()}", "object": "chat.completion", "created": 1,
                     "model": "tiny", "choices": [choice], "usage": usage})  # fmt: skip

    def answer(self, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()


class Proxy:
    """LiteLLM with the plugin."""

    def __init__(self, folder: Path, engine: str, ledger: str) -> None:
        (folder / "my_auth.py").write_text(AUTH)
        params = {"model": "openai/tiny", "api_base": engine, "api_key": "none"}
        document = {
            "model_list": [{"model_name": "tiny", "litellm_params": params}],
            "litellm_settings": {"callbacks": ["tokentop.gateway.litellm.instance"]},
            "general_settings": {"master_key": MASTER,
                                 "custom_auth": "my_auth.user_api_key_auth"},
        }  # fmt: skip
        (folder / "config.yaml").write_text(json.dumps(document))  # JSON is YAML
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        env = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT),
            "LITELLM_TELEMETRY": "False", "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "TOKENTOP_GATEWAY_URL": ledger, "TOKENTOP_GATEWAY_SPOOL": str(folder / "spool"),
            "TOKENTOP_GATEWAY_TIMEOUT_S": "5",
        }  # fmt: skip
        words = [str(LITELLM), "--config", "config.yaml", "--host", "127.0.0.1",
                 "--port", str(port)]  # fmt: skip
        self.log = (folder / "litellm.log").open("w+")
        self.process = subprocess.Popen(
            words, cwd=folder, env=env, stdout=self.log, stderr=self.log
        )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + BOOT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health/liveliness", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.2)  # there is nothing to wait on but the port
        self.log.seek(0)
        raise AssertionError(self.log.read()[-3000:])

    def chat(self, **more: Any) -> httpx.Response:
        body = {"model": "tiny", "messages": [{"role": "user", "content": "hello"}], **more}
        headers = {"authorization": "Bearer sk-ada", "x-task-id": "T-7"}
        return httpx.post(
            f"{self.url}/v1/chat/completions", json=body, headers=headers, timeout=PATIENCE_S
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.log.close()


def entries(ledger: Path, count: int, which: str = "TRUE") -> list[dict[str, Any]]:
    """What SQLite reads from the ledger, once it has so many entries of that sort."""
    deadline = time.monotonic() + PATIENCE_S
    found: list[dict[str, Any]] = []
    while len(found) < count:
        assert time.monotonic() < deadline, found
        with (
            suppress(sqlite3.OperationalError),  # the service has not made it yet
            closing(sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)) as db,
        ):
            db.row_factory = sqlite3.Row
            rows = db.execute(f"SELECT * FROM entries WHERE {which} ORDER BY seq")
            found = [dict(row) for row in rows]
        time.sleep(0.1)  # another process writes it
    return found


def test_every_call_is_booked_through_an_outage(tmp_path: Path, engine: str) -> None:
    """Calls from before the ledger was there, and a stream that its client left."""
    ledger, config = tmp_path / "ledger.sqlite3", tmp_path / "config.toml"
    config.write_text(f'[ledger]\nintake = true\npath = "{ledger}"\n')
    port = free_port()
    proxy = Proxy(tmp_path, engine, f"http://127.0.0.1:{port}")
    calls = [proxy.chat() for _ in range(3)]  # nobody takes them
    deadline = time.monotonic() + PATIENCE_S
    while sum(path.read_bytes().count(b"\n") for path in (tmp_path / "spool").iterdir()) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)  # LiteLLM logs after it has answered
    words = ("serve", "--no-gpus", "--config", str(config), "--port", str(port))
    with started(*words, env=environment()) as serve:
        assert port_of(serve) == port
        found = entries(ledger, 3)
        body = {"model": "tiny", "stream": True, "messages": [{"role": "user", "content": "on"}]}
        with httpx.stream(
            "POST", f"{proxy.url}/v1/chat/completions", json=body,
            headers={"authorization": "Bearer sk-ada"}, timeout=PATIENCE_S,
        ) as answer:  # fmt: skip
            lines = (line for line in answer.iter_lines() if line)
            for _ in range(20):
                next(lines)
        *_, left = entries(ledger, 4)
        proxy.kill()
    assert {each.status_code for each in calls} == {200}
    ids = {f"litellm:{each.headers['x-litellm-call-id']}" for each in calls}
    assert ids == {each["identity"] for each in found}
    assert {(each["prompt"], each["generated"], each["task"]) for each in found} == {(7, 3, "T-7")}
    assert {each["authenticated"] for each in found} == {"user,team,project"}
    assert (left["outcome"], left["estimated"]) == ("aborted", 1)
    assert 20 <= left["generated"] <= Engine.sent
