"""One flow from client to report: openai-python, LiteLLM with the plugin, llama.cpp's captured
answers, the ledger, a budget that is spent, a stop, a stream that is ended. The figures are those
that llama.cpp counted.
"""

import json
import shutil
import threading
import time
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cli.command import environment, run, started
from tests.gateway.test_real_litellm import PATIENCE_S, Proxy, Streaming, entries
from tests.payloads import payload
from tests.runtime.serve.greeting import port_of
from tests.servers import agent

pytestmark = [
    pytest.mark.skipif(
        shutil.which("litellm") is None, reason="no LiteLLM: pip install 'litellm[proxy]'"
    ),
    pytest.mark.skipif(not find_spec("openai"), reason="no openai-python: pip install openai"),
]
ANSWERS = tuple(payload(f"llamacpp/chat/answer{number}.json") for number in (1, 2, 3))
COUNTED = {
    sample.name.removeprefix("llamacpp:"): int(sample.value)
    for family in text_string_to_metric_families(payload("llamacpp/chat/metrics.txt").decode())
    for sample in family.samples
}
"""What llama.cpp counted over these three answers; its prompt tokens leave the cached ones out."""
CACHED = COUNTED["prompt_tokens_cached_total"]
PROMPT = COUNTED["prompt_tokens_total"] + CACHED
GENERATED = COUNTED["tokens_predicted_total"]
STOPPED = "project alpha was stopped"
BUDGET = """
[ledger]
intake = true
[[budget]]
project = "alpha"
period = "total"
unit = "tokens"
limit = {limit}
stop = true
"""


class Llama(ThreadingHTTPServer):
    """Plays the captured answers in turn; `asked` is how many requests reached it."""

    def __init__(self) -> None:
        self.asked = 0
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(Streaming):
    server: Llama

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if asked.get("stream"):
            self.stream()
            return
        body = ANSWERS[self.server.asked % len(ANSWERS)]
        self.server.asked += 1
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def llama() -> Iterator[Llama]:
    made = Llama()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()


class Flow:
    """A client of the gateway, and the installed command beside `tokentop serve`."""

    def __init__(self, proxy: Proxy, serve: str, config: Path, env: dict[str, str]) -> None:
        from openai import OpenAI

        self._serve, self._config, self._env, self._proxy = serve, config, env, proxy
        self._client = OpenAI(base_url=f"{proxy.url}/v1", api_key="sk-ada")  # retries as ever

    def ask(self) -> Any:
        messages: Any = [{"role": "user", "content": "go on"}]
        return self._client.chat.completions.create(model="tiny", messages=messages).usage

    def refused(self) -> str:
        """The sentence that the client shows; it tries once, as LiteLLM's log has it."""
        from openai import RateLimitError

        before = self._attempts()
        with pytest.raises(RateLimitError) as refusal:
            self.ask()
        assert self._attempts() == before + 1
        return refusal.value.message

    def agent_refused(self) -> None:
        """Claude Code's request is answered so that it stops; it does, where it is installed."""
        answer = agent.replayed(self._proxy.url, "sk-ada")
        assert (answer.status_code, answer.headers["x-should-retry"]) == (429, "false")
        assert "retry-after" not in answer.headers
        assert STOPPED in answer.json()["error"]["message"]
        if agent.CLAUDE is not None:
            before = self._attempts("messages")
            assert STOPPED in agent.asked(self._proxy.url, "sk-ada", self._config.parent)
            assert self._attempts("messages") == before + 1

    def streamed(self) -> tuple[int, str]:
        """The tokens that a client got of a stream that another process stops, and why it ended."""
        from openai import APIError

        messages: Any = [{"role": "user", "content": "go on"}]
        asked = self._client.chat.completions.create(model="tiny", messages=messages, stream=True)
        got = 0
        try:
            for chunk in asked:
                got += bool(chunk.choices and chunk.choices[0].delta.content)
                if got == 10:
                    self.command("stop", "alpha")
        except APIError as error:
            return got, error.message
        raise AssertionError("the stream came to its end")

    def _attempts(self, of: str = "chat/completions") -> int:
        log = Path(self._proxy.log.name).read_text()
        return log.count(f'"POST /v1/{of}')

    def decides(self, status: int, text: str = "") -> None:
        """Wait until serve follows what was decided elsewhere."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = httpx.get(f"{self._serve}/v1/authorize", params={"project": "alpha"})
            if found.status_code == status and text in found.text:
                return
            assert time.monotonic() < deadline, found.text
            time.sleep(0.05)  # it reads its ledger once a second

    def limit(self, tokens: int) -> None:
        self._config.write_text(BUDGET.format(limit=tokens))

    def command(self, *words: str) -> str:
        done = run(*words, "--config", str(self._config), env=self._env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def alpha(self) -> dict[str, Any]:
        """The project's row of the report."""
        report = json.loads(self.command("ledger", "report", "--by", "project", "--json"))
        (row,) = (each for each in report["rows"] if each["project"] == "alpha")
        return dict(row)


@pytest.fixture
def flow(tmp_path: Path, llama: Llama) -> Iterator[Flow]:
    config = tmp_path / "config.toml"
    config.write_text(BUDGET.format(limit=PROMPT + GENERATED))
    env = environment(XDG_STATE_HOME=str(tmp_path / "state"))
    words = ("serve", "--no-gpus", "--port", "0", "--config", str(config))
    with started(*words, env=env) as serve:
        url = f"http://127.0.0.1:{port_of(serve)}"
        proxy = Proxy(tmp_path, f"http://127.0.0.1:{llama.server_port}/v1", url)
        try:
            yield Flow(proxy, url, config, env)
        finally:
            proxy.kill()


def ledger_of(folder: Path) -> Path:
    (found,) = (folder / "state" / "tokentop").glob("ledger-*.sqlite3")
    return found


def test_from_a_client_to_the_report(flow: Flow, llama: Llama, tmp_path: Path) -> None:
    """Three answers spend the budget to the token; nothing after that reaches the engine."""
    usage = [flow.ask() for _ in ANSWERS]
    entries(ledger_of(tmp_path), len(ANSWERS))
    flow.decides(429)
    spent = f"{PROMPT + GENERATED} tokens of {PROMPT + GENERATED} tokens"
    assert spent in flow.refused()
    flow.command("stop", "alpha")
    flow.limit(10 * (PROMPT + GENERATED))  # room again
    flow.decides(429, STOPPED)
    assert STOPPED in flow.refused()
    flow.agent_refused()
    found = flow.alpha()
    assert (found["prompt"], found["cached"], found["generated"]) == (PROMPT, CACHED, GENERATED)
    assert found["estimated"] == 0
    assert sum(each.completion_tokens for each in usage) == GENERATED
    assert "none changed" in flow.command("ledger", "verify")
    assert llama.asked == len(ANSWERS)
    flow.command("resume", "alpha")
    flow.decides(200)
    assert flow.ask().completion_tokens == usage[0].completion_tokens
    tokens, reason = flow.streamed()
    assert STOPPED in reason
    booked = entries(ledger_of(tmp_path), 1, "outcome = 'aborted'")
    assert [(each["generated"], each["estimated"]) for each in booked] == [(tokens, 1)]
