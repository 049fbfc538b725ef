"""Usage sent to `tokentop serve` as installed: booked, then acknowledged, never lost."""

import gzip
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.cli.command import PATIENCE_S, environment, run, started
from tests.cli.stack import serving
from tests.fake_nvml import FakeNvml
from tests.payloads import payload
from tests.runtime.serve.greeting import port_of
from tests.test_packaging import ROOT
from tokentop.sources.usage.otlp.wire import encoded

TOKEN, SENDER = "0123456789abcdef-serve", "0123456789abcdef-sender"
GATEWAY = {"authorization": f"Bearer {TOKEN}"}
AGENT = {"authorization": f"Bearer {SENDER}"}
PROTOBUF = "application/x-protobuf"


class Served(NamedTuple):
    """A running service, its ledger's file, and a client that shows the gateway's token."""

    url: str
    ledger: Path
    web: httpx.Client
    pid: int = 0

    def entries(self, where: str = "1", *values: object) -> list[dict[str, Any]]:
        """What SQLite itself reads from the file."""
        db = sqlite3.connect(self.ledger)
        db.row_factory = sqlite3.Row
        found = [dict(row) for row in db.execute(f"SELECT * FROM entries WHERE {where}", values)]
        db.close()
        return found

    def post(self, path: str, body: bytes, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.web.post(path, content=body, headers=named)


def configured(folder: Path, **more: str) -> str:
    ledger = folder / "ledger" / "ledger.sqlite3"
    (folder / "sender").write_text(SENDER)
    lines = {"path": str(ledger), "token_file": str(folder / "sender"), **more}
    text = "\n".join(f"{name} = {json.dumps(value)}" for name, value in lines.items())
    (folder / "config.toml").write_text(
        f'[serve]\ntoken_env = "SERVE"\n[ledger]\nintake = true\n{text}\n'
        '[ledger.mapping]\nproject = ["acme.project"]\n'
    )
    return str(folder / "config.toml")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("intake")
    words = ("serve", "--port", "0", "--no-gpus", "--config", configured(folder))
    with started(*words, env=environment(SERVE=TOKEN)) as process:
        url = f"http://127.0.0.1:{port_of(process)}"
        with httpx.Client(base_url=url, headers=GATEWAY, timeout=PATIENCE_S) as web:
            yield Served(url, folder / "ledger" / "ledger.sqlite3", web, process.pid)


def cloud_event(number: int, **data: object) -> dict[str, object]:
    plain = {"model": "tiny", "prompt_tokens": 10, "completion_tokens": 5, **data}
    return {
        "specversion": "1.0", "type": "request", "id": str(number), "source": "test",
        "subject": "ada", "data": plain,
    }  # fmt: skip


def test_litellms_body_is_booked_as_its_gateway_authenticated_it(served: Served) -> None:
    body = payload("usage/litellm/post_body.json_array.one_event.full.json")
    (raw,) = json.loads(body)
    answer = served.post("/v1/litellm", body, content_type="application/json")
    assert (answer.status_code, answer.json()["booked"]) == (200, 1)
    identity = f"litellm:{raw['litellm_call_id']}"
    (entry,) = served.entries("identity = ?", identity)
    assert (entry["prompt"], entry["generated"]) == (raw["prompt_tokens"], raw["completion_tokens"])
    assert entry["authenticated"] == "user,team,project"
    lines = body.strip()[1:-1] + b"\n" + body.strip()[1:-1]
    again = served.post("/v1/litellm", lines, content_type="application/json")  # ndjson, so called
    assert (again.status_code, again.json()["booked"]) == (200, 2)
    assert len(served.entries("identity = ?", identity)) == 1


def test_a_senders_token_books_claims_and_opens_nothing_else(served: Served) -> None:
    """What an agent's machine reports of itself is never called authenticated."""
    body = payload("usage/litellm_otel/v2.traces.json")
    headers = {**AGENT, "content-type": "application/json"}
    with httpx.Client(base_url=served.url, timeout=PATIENCE_S) as web:
        answer = web.post("/v1/traces", content=body, headers=headers)
        elsewhere = [
            web.get("/metrics", headers=AGENT),
            web.post("/v1/value", content=b"{}", headers=AGENT),
            *(web.post("/v1/traces", content=body, headers={"authorization": each})
              for each in ("", "Bearer x")),
        ]  # fmt: skip
    assert (answer.status_code, answer.json()) == (200, {})
    (entry,) = served.entries("identity = 'litellm:593f0f69-064a-455c-9315-4ab9795d8264'")
    assert (entry["team"], entry["authenticated"]) == ("Blue", None)
    assert [each.status_code for each in elsewhere] == [401] * 4


@pytest.mark.parametrize(
    ("path", "name", "media_type"),
    [
        ("/v1/logs", "codex/logs.json", "application/json"),
        ("/v1/logs", "claude_code/logs.pb", PROTOBUF),
        ("/v1/metrics", "gemini_cli/metrics.json", "application/json"),
        ("/v1/traces", "vllm/traces.llm_request.pb", PROTOBUF),
    ],
)
def test_exports_are_answered_in_their_own_encoding(
    served: Served, path: str, name: str, media_type: str
) -> None:
    before = len(served.entries())
    answer = served.post(path, payload(f"usage/{name}"), content_type=media_type)
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.content == (b"{}" if media_type == "application/json" else b"")
    assert len(served.entries()) > before


def test_chunked_and_packed_bodies_are_read(served: Served) -> None:
    """As Claude Code sends them, and as collectors do."""
    body = payload("usage/claude_code/logs.json")
    halves = iter([body[:1000], body[1000:]])
    chunked = served.web.post("/v1/logs", content=halves)
    packed = served.post("/v1/logs", gzip.compress(body), content_encoding="gzip")
    assert (chunked.status_code, packed.status_code) == (200, 200)
    assert len(served.entries("session = '1d8fda42-eb69-4e86-921f-bdc14ffc1c95'")) == 1


def test_a_refused_part_is_counted_in_the_answer(served: Served) -> None:
    text = payload("usage/constructed/genai_span_old_and_new.otlp.json").decode()
    bad = text.replace('"intValue":"1234"', '"intValue":"-1"', 1)
    bad = bad.replace('"intValue": "1234"', '"intValue": "-1"', 1)
    answer = served.post("/v1/traces", bad.encode(), content_type="application/json")
    partly = {"rejectedSpans": "1", "errorMessage": "its prompt tokens are no count"}
    assert (answer.status_code, answer.json()) == (200, {"partialSuccess": partly})


def test_cloud_events_alone_and_in_batches(served: Served) -> None:
    kind = "application/cloudevents+json"
    single = served.post("/api/v1/events", json.dumps(cloud_event(1)).encode(), content_type=kind)
    batch = json.dumps([cloud_event(2, **{"acme.project": "alpha"}), cloud_event(1)]).encode()
    several = served.post(
        "/api/v1/events", batch, content_type="application/cloudevents-batch+json"
    )
    shipped = payload("usage/constructed/openmeter_event.cloudevents.json")
    meter = served.post("/api/v1/events", shipped, content_type=kind)
    assert {each.status_code for each in (single, several, meter)} == {204}
    found = {each["request"]: each for each in served.entries("feed = 'cloudevents'")}
    assert set(found) == {"1", "2", "6f4f0b0a-6bd1-4b7e-9d41-6f0a6a0f2a11"}
    assert (found["2"]["prompt"], found["2"]["generated"]) == (10, 5)
    assert found["2"]["project"] == "alpha"
    last = found["6f4f0b0a-6bd1-4b7e-9d41-6f0a6a0f2a11"]
    assert (last["prompt"], last["generated"], last["project"]) == (25, 0, "alpha")
    assert last["at_us"] == 1_795_273_200_000_000  # 2026-11-21T15:00:00Z


def test_a_batch_of_cloud_events_is_booked_whole_or_not_at_all(served: Served) -> None:
    """Its answer has no word for a part."""
    batch = json.dumps([cloud_event(77), cloud_event(78, prompt_tokens=-1)]).encode()
    answer = served.post("/api/v1/events", batch)
    assert answer.status_code == 400
    assert answer.text == "1 of the events cannot be booked: its prompt tokens are no count\n"
    assert served.entries("request = '77'") == []


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "text"),
    [
        ("/v1/traces", b"{", {}, 400, "the body is not valid JSON"),
        ("/v1/litellm", b"{}", {}, 400, "it is no event of LiteLLM's"),
        ("/v1/litellm", b"nonsense", {}, 400, "the body is not valid JSON"),
        ("/api/v1/events", b"[7]", {}, 400, "it is no object"),
        ("/v1/logs", b"x" * 20, {"content-encoding": "gzip"}, 400, "the body is no gzip"),
        ("/v1/logs", gzip.compress(b"{}")[:-9], {"content-encoding": "gzip"}, 400, "cut off"),
        ("/v1/logs", gzip.compress(b"{}") * 2, {"content-encoding": "gzip"}, 400, "several parts"),
        ("/v1/logs", b"{}", {"content-encoding": "br"}, 415, "only gzip is understood"),
        ("/v1/logs", b" " * (17 << 20), {}, 413, "more than 16 MiB"),
        ("/v1/logs", gzip.compress(b" " * (33 << 20)), {"content-encoding": "gzip"}, 413,
         "unpacks to more than 32,768 KiB"),
        ("/v1/logs", b"{}", {"origin": "https://evil.example"}, 403, "another page"),
        ("/metrics", b"{}", {}, 413, "requests have no body here"),
    ],
    ids=range(12),
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_with_one_sentence(
    served: Served, path: str, body: bytes, headers: dict[str, str], status: int, text: str
) -> None:
    answer = served.web.post(path, content=body, headers=headers)
    assert answer.status_code == status
    assert text in answer.text
    assert len(answer.text.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/traces", encoded(1, encoded(2, b"\x12\x00" * 8_000_000))),
        ("/v1/traces", b'{"resourceSpans":[%b{}]}' % (b"{}," * 6_000_000)),
        ("/v1/logs", b'{"a":[%b[]]}' % ((b"[" * 99 + b"]" * 99 + b",") * 80_000)),
        ("/v1/litellm", b"[]\n" * 6_000_000),
        ("/v1/litellm", b'[{"startTime":1,"request_id":1,"metadata":"[%b0]"}]' % (b"[]," * 9**7)),
        ("/api/v1/events", b"[%b{}]" % (b"{}," * 30_000)),
    ],
    ids=["spans", "objects", "lists", "lines", "inner", "events"],
)
def test_a_few_kib_that_decode_into_half_a_gib_are_refused(
    served: Served, path: str, body: bytes
) -> None:
    """The process's highest memory, by the kernel, is that of the body and not of its objects."""
    packed = gzip.compress(body, 1)
    assert len(packed) < len(body) / 100
    answer = served.post(path, packed, content_encoding="gzip")
    assert answer.status_code == 413
    assert "too many records or values; send smaller batches" in answer.text
    status = Path(f"/proc/{served.pid}/status").read_text()
    peak_kib = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak_kib is not None
    assert int(peak_kib[1]) < 300 * 1024


def test_a_resource_that_many_spans_share_is_not_repeated_without_end(served: Served) -> None:
    """2,000 attributes and 2,000 spans: 200 KiB that would be 4 million values."""
    attributes = [{"key": f"k{n}", "value": {"intValue": n}} for n in range(2000)]
    spans = [{"attributes": [{"key": "gen_ai.usage.input_tokens", "value": {"intValue": 1}}]}]
    scopes = [{"spans": spans * 2000}]
    resource = {"resource": {"attributes": attributes}, "scopeSpans": scopes}
    answer = served.post("/v1/traces", json.dumps({"resourceSpans": [resource]}).encode())
    assert answer.status_code == 413


def test_long_prompts_full_of_json_are_no_values(served: Served) -> None:
    """LiteLLM sends what was asked and answered as well, of which nothing is read."""
    (row,) = json.loads(payload("usage/litellm/post_body.json_array.one_event.full.json"))
    row["messages"] = [{"role": "user", "content": json.dumps([[1, 2], {"a": "b"}] * 150_000)}]
    row["litellm_call_id"] = "long"
    answer = served.post("/v1/litellm", json.dumps([row]).encode())
    assert (answer.status_code, answer.json()["booked"]) == (200, 1)


def test_a_ledger_that_is_away_is_said_and_comes_back(tmp_path: Path) -> None:
    """503 with Retry-After meanwhile; nothing has to be restarted."""
    path = configured(tmp_path)
    (tmp_path / "ledger").write_text("a file where the folder should be")
    body = json.dumps(cloud_event(1)).encode()
    with started(
        "serve", "--port", "0", "--no-gpus", "--config", path, env=environment(SERVE=TOKEN)
    ) as process:
        url = f"http://127.0.0.1:{port_of(process)}/api/v1/events"
        away = httpx.post(url, content=body, headers=GATEWAY, timeout=PATIENCE_S)
        (tmp_path / "ledger").unlink()
        back = httpx.post(url, content=body, headers=GATEWAY, timeout=PATIENCE_S)
        process.terminate()
        assert process.stderr is not None
        said = process.stderr.read()
    assert (away.status_code, away.headers["retry-after"]) == (503, "5")
    assert "cannot be opened" in away.text
    assert back.status_code == 204
    assert "the ledger is back" in said


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    """kill -9 between two batches of several senders; what is sent again counts once."""
    path = configured(tmp_path)
    env = environment(SERVE=TOKEN)
    acknowledged: list[int] = []
    enough = threading.Event()

    def send(url: str, first: int) -> None:
        with httpx.Client(headers=GATEWAY, timeout=PATIENCE_S) as web:
            for start in range(first, first + 100_000, 20):
                batch = [cloud_event(number) for number in range(start, start + 20)]
                try:
                    answer = web.post(f"{url}/api/v1/events", content=json.dumps(batch))
                except httpx.HTTPError:
                    return
                assert answer.status_code == 204
                acknowledged.extend(range(start, start + 20))
                if len(acknowledged) > 400:
                    enough.set()

    with started("serve", "--port", "0", "--no-gpus", "--config", path, env=env) as process:
        url = f"http://127.0.0.1:{port_of(process)}"
        senders = [threading.Thread(target=send, args=(url, n * 100_000)) for n in range(3)]
        for each in senders:
            each.start()
        assert enough.wait(PATIENCE_S)
        os.kill(process.pid, signal.SIGKILL)
        for each in senders:
            each.join(PATIENCE_S)
    db = sqlite3.connect(tmp_path / "ledger" / "ledger.sqlite3")
    booked = {int(number) for (number,) in db.execute("SELECT request FROM entries")}
    assert booked.issuperset(acknowledged)
    with started("serve", "--port", "0", "--no-gpus", "--config", path, env=env) as process:
        url = f"http://127.0.0.1:{port_of(process)}/api/v1/events"
        batch = json.dumps([cloud_event(number) for number in acknowledged[:200]])
        again = httpx.post(url, content=batch, headers=GATEWAY, timeout=PATIENCE_S)
        assert again.status_code == 204
    (count,) = db.execute("SELECT count(*) FROM entries").fetchone()
    assert count == len(booked)
    verified = run("ledger", "verify", "--config", path, env=env)
    assert (verified.returncode, verified.stderr) == (0, "")


def seen(web: httpx.Client, wanted: Callable[[Any], bool]) -> Any:
    """The first snapshot that is wanted."""
    until = time.monotonic() + PATIENCE_S
    with web.stream("GET", "/api/system/token-economy/stream") as stream:
        for line in stream.iter_lines():
            assert time.monotonic() < until, line
            if line.startswith("data:") and wanted(now := json.loads(line[5:])):
                return now
    raise AssertionError("the stream has ended")


ENGINE = """
import sys
from tests.cli.engines import VLLM, answer
from tests.payloads import payload
from tests.servers.loopback import Server
pages = {path: payload(name) for path, name in VLLM.items()}
with Server(lambda connection: answer(connection, pages), port=int(sys.argv[-1])):
    print(flush=True)
    sys.stdin.read()
"""


@contextmanager
def vllm(folder: Path) -> Iterator[tuple[int, int]]:
    """A process with vLLM's command line and captured answers; its port and number."""
    (folder / "serve").write_text(ENGINE)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        ["vllm", "serve", "tiny-llama", "--port", str(port)], executable=sys.executable,
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        yield port, process.pid
        process.kill()


def test_what_an_engine_here_served_is_worth_its_gpu_time(
    tmp_path: Path, fake_nvml: FakeNvml
) -> None:
    """On a quarter of a card, shared with the requests that ran or waited there meanwhile."""
    box, file = tmp_path / "box.scn", configured(tmp_path)
    with vllm(tmp_path) as (port, pid):
        box.write_text(f"[device 0]\npreset = rtx4090\nproc = pid={pid} type=C mem=6142MiB\n")
        words = ("serve", "--port", "0", "--interval", "0.5", "--config", file)
        env = environment(SERVE=TOKEN, TOKENTOP_DISCOVERY="true", **fake_nvml.env(box))
        with (
            started(*words, env=env) as process,
            httpx.Client(
                base_url=f"http://127.0.0.1:{port_of(process)}", headers=GATEWAY, timeout=PATIENCE_S
            ) as web,
        ):
            now = seen(web, lambda now: on_gpu(now, pid))
            (row,) = (each for each in now["engines"] if pid in each["pids"])
            sent = cloud_event(1, engine=f"localhost:{port}", duration_ms=10_000)
            assert web.post("/api/v1/events", json=sent).status_code == 204
            (entry,) = Served("", tmp_path / "ledger" / "ledger.sqlite3", web).entries()
    assert row["active"] + row["queued"] > 1
    assert entry["gpu"] == "NVIDIA GeForce RTX 4090"
    assert entry["gpu_ms"] == round(10_000 / (row["active"] + row["queued"]))
    assert entry["milli_credits"] == pytest.approx(entry["gpu_ms"] / 4, rel=0.01)


def on_gpu(now: Any, pid: int) -> bool:
    """Whether the engine of that process answers, and its GPU is known."""
    engines = {each["id"] for each in now["engines"] if pid in each["pids"]
               and each["state"] == "online"}  # fmt: skip
    return any(each["engine"] in engines for gpu in now["gpus"] or ()
               for each in gpu["processes"] or ())  # fmt: skip


def test_live_prices_are_booked_with_whose_they_are(tmp_path: Path) -> None:
    """A GPU of 0.70 USD against the reference's 0.35, at the stack's multiplier of 2.13."""
    file = configured(tmp_path, prices="live")
    with Path(file).open("a") as more:
        more.write("[cost]\nusd_per_gpu_hour = 0.70\ngpus = 1\n")
    words = ("serve", "--port", "0", "--no-gpus", "--interval", "0.5", "--config", file)
    with (
        serving() as stack,
        started(*words, env=(env := environment(stack, SERVE=TOKEN))) as process,
        httpx.Client(
            base_url=f"http://127.0.0.1:{port_of(process)}", headers=GATEWAY, timeout=PATIENCE_S
        ) as web,
    ):
        seen(web, lambda now: now["pricing"]["multiplier"] == 2.13)
        sent = cloud_event(1, model="own", gpu="RTX 4090", gpu_seconds=1)
        answer = web.post("/api/v1/events", json=sent)
        assert answer.status_code == 204
        (identity,) = Served("", tmp_path / "ledger" / "ledger.sqlite3", web).entries()[0:1]
        shown = run("ledger", "show", identity["identity"], "--config", file, env=env).stdout
    rows = [re.split(r"\s{2,}", line.strip()) for line in shown.splitlines()]
    assert ["USD per GPU-hour", "0.7", "[cost]"] in rows
    assert ["demand multiplier", "2.13", "at that moment"] in rows
    assert ["credits", "4.26", "computed by GPU time"] in rows
