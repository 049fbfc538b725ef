"""`tokentop serve` as installed: starts, answers, follows its file, refuses, drains."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.command import PATIENCE_S, TOKENTOP, environment, in_process, run, started
from tests.cli.engines import VLLM, captured
from tests.cli.stack import serving
from tests.runtime.serve.greeting import port_of
from tests.servers.service import client
from tests.views.test_schema import problems
from tokentop.domain.snapshot import AITHER_SERVICES

API = "/api/system/token-economy"
TOKEN = "0123456789abcdef0123456789abcdef"

# The command where the extra's packages cannot be found.
BARE = """
import sys
sys.modules["{name}"] = None
sys.argv = sys.argv[1:]
from tokentop.cli import main
sys.exit(main())
"""


@contextmanager
def serve(*words: str, env: dict[str, str] | None = None) -> Iterator[tuple[str, int]]:
    """The command on a free port; yields its address and its process id."""
    with started("serve", "--port", "0", *words, env=env) as process:
        yield f"http://127.0.0.1:{port_of(process)}", process.pid


@pytest.fixture(scope="module")
def frozen() -> Iterator[tuple[str, int]]:
    """A moment of the demo, served to several tests."""
    with serve("--demo=stack", "--demo-at", "100") as served:
        yield served


def until(url: str, *way: str | int, value: object) -> dict[str, object]:
    """Follow the stream until the value at `way` is `value`; returns that object."""
    deadline = time.monotonic() + PATIENCE_S
    with httpx.stream("GET", f"{url}{API}/stream", timeout=PATIENCE_S) as answer:
        for line in answer.iter_lines():
            assert time.monotonic() < deadline, line
            if line.startswith("data: "):
                found = whole = json.loads(line[6:])
                for key in way:
                    found = found[key] if found else None
                if found == value:
                    return whole
    raise AssertionError("the stream ended")


def logged(process: "subprocess.Popen[str]", words: str) -> None:
    """Read the log up to the line with these words; what changed in the demo stands there too."""
    assert process.stderr is not None
    assert any(words in line for line in process.stderr)


def test_the_stack_is_served(tmp_path: Path) -> None:
    """Object, stream, metrics and documents of a polled stack; the object is valid."""
    with serving() as stack, serve("--no-gpus", env=environment(stack)) as (url, _):
        for service in AITHER_SERVICES:
            until(url, "services_online", service, value=True)
        seen = until(url, "llm", "queued", value=3)
        got = httpx.get(url + API).json()
        metrics = httpx.get(f"{url}/metrics").text
        documents = [httpx.get(f"{url}/{name}.json").json() for name in ("schema", "openapi")]
    assert problems(seen) == problems(got) == []
    assert got["services_online"] == dict.fromkeys(got["services_online"], True)
    assert "\ntokentop_requests_queued 3\n" in metrics
    assert documents[0]["title"] == "tokentop/1"
    assert documents[1]["info"]["version"] == got["version"]


def test_a_hanging_stack_delays_no_answer() -> None:
    """Answered from the latest snapshot while a source is still waited for."""
    with (
        serving(llm_queue=None, gpu_metrics=None) as stack,
        serve("--no-gpus", env=environment(stack)) as (url, _),
    ):
        before = time.monotonic()
        answer = httpx.get(url + API)
        took = time.monotonic() - before
        until(url, "services_online", "mint", value=True)
    assert answer.status_code == 200
    assert problems(answer.json()) == []
    assert took < 1.0


def test_latencies_are_as_measured(tmp_path: Path) -> None:
    """Two events with one service's latency differ, where the screen would show a steady one."""
    words = ("--demo=stack", "--interval", "0.5")
    found = set()
    with (
        serve(*words) as (url, _),
        httpx.stream("GET", f"{url}{API}/stream", timeout=PATIENCE_S) as answer,
    ):
        for line in answer.iter_lines():
            if line.startswith("data: "):
                found.add(json.loads(line[6:])["services"][0]["latency_ms"])
            if len(found - {None}) > 2:
                break
    assert len(found) > 2


def test_engines_are_served(tmp_path: Path) -> None:
    """An engine that the configuration names is in the object and in the metrics."""
    with captured(VLLM) as engine:
        file = tmp_path / "config.toml"
        file.write_text(f'[[engine]]\nurl = "{engine.url}"\n')
        with serve("--no-gpus", "--config", str(file), env=environment()) as (url, _):
            until(url, "engines", 0, "state", value="online")
            (row,) = httpx.get(url + API).json()["engines"]
            metrics = httpx.get(f"{url}/metrics").text
    name = row["id"].replace(":", "[:]")
    assert row["kind"] == "vllm"
    assert re.search(f'tokentop_engine_requests_active{{engine="{name}"}} {row["active"]}', metrics)


def test_prices_follow_the_file(tmp_path: Path) -> None:
    """A changed file holds at the next poll; a broken one changes nothing and is reported."""
    file = tmp_path / "config.toml"
    file.write_text("interval = 0.5\n")
    with started("serve", "--port", "0", "--demo=stack", "--config", str(file)) as process:
        url = f"http://127.0.0.1:{port_of(process)}"
        until(url, "pricing", "everything_free", value=True)
        file.write_text("interval = 0.5\n[pricing]\neverything_free = false\n")
        until(url, "pricing", "everything_free", value=False)
        logged(process, "read again")
        file.write_text("[pricing]\neverything_free = 7\n")
        logged(process, "left as it was")
        assert httpx.get(url + API).json()["pricing"]["everything_free"] is False


@pytest.mark.parametrize(
    ("number", "code", "demo"),
    [(signal.SIGTERM, 0, "--demo"), (signal.SIGINT, 130, "--demo=stack")],
)
def test_a_signal_drains_within_two_seconds(number: int, code: int, demo: str) -> None:
    """With streams, idle connections, half a request and a client that does not read.

    Streams end properly.
    """
    with started("serve", "--port", "0", demo) as process:
        port = port_of(process)
        with (
            client(port) as stream, client(port) as idle, client(port) as half,
            client(port, buffer=4096) as stuck,
        ):  # fmt: skip
            stuck.get(f"{API}/stream")
            stuck.until(b"data: ")
            stream.get(f"{API}/stream")
            stream.until(b"data: ")
            idle.get(API)
            idle.until(b'"cost"')
            half.send(b"GET / HT")
            began = time.monotonic()
            process.send_signal(number)
            assert process.wait(PATIENCE_S) == code
            assert time.monotonic() - began < 2.0
            assert stream.end().endswith(b"0\r\n\r\n")


def test_a_frozen_demo_is_served_as_it_stands(frozen: tuple[str, int]) -> None:
    url, _ = frozen
    first, second = (httpx.get(url + API) for _ in range(2))
    health = httpx.get(f"{url}/healthz")
    assert first.content == second.content
    assert first.json()["at"] == "2026-01-01T12:01:40.000Z"
    assert health.status_code == 200


def test_a_token_from_a_file_and_from_the_environment(tmp_path: Path) -> None:
    """Either way every request without it is refused; it is printed nowhere."""
    held = tmp_path / "token"
    held.write_text(TOKEN + "\n")
    held.chmod(0o600)
    file = tmp_path / "config.toml"
    file.write_text('[serve]\ntoken_env = "MINE"\n')
    ways = (
        (("--token-file", str(held)), environment()),
        (("--config", str(file)), environment(MINE=TOKEN)),
    )
    for words, env in ways:
        with started("serve", "--demo=stack", "--port", "0", *words, env=env) as process:
            url = f"http://127.0.0.1:{port_of(process)}{API}"
            assert httpx.get(url).status_code == 401
            right = httpx.get(url, headers={"authorization": f"Bearer {TOKEN}"})
            assert right.status_code == 200
            process.terminate()
            said = process.communicate(timeout=PATIENCE_S)
            assert TOKEN not in "".join(said) + right.text


def test_beyond_this_machine_only_with_a_token_or_by_choice() -> None:
    """Without a token it does not start, unless that is chosen."""
    refused = run("serve", "--demo", "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "can be reached from other machines, and there is no token" in refused.stderr
    with serve("--demo=stack", "--host", "0.0.0.0", "--insecure-no-auth") as (url, _):
        assert httpx.get(url + API).status_code == 200


def refusal(*words: str, env: dict[str, str] | None = None) -> str:
    """The one sentence with which it ends, with exit code 2, before anything is served."""
    done = in_process("serve", "--demo", *words, env=env)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = refusal("--port", str(port))
    assert f"cannot listen on port {port} of 127.0.0.1: Address already in use;" in said
    assert "choose another" in said


def test_an_address_of_another_machine_is_one_sentence() -> None:
    said = refusal("--host", "192.0.2.1", "--port", "0", "--insecure-no-auth")
    assert "cannot listen on port 0 of 192.0.2.1: Cannot assign requested address;" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read (No such file or directory)"), ("", "is empty"),
     ("two words", "more than one plain word"), ("short", "fewer than 16 characters")],
)  # fmt: skip
def test_a_token_file_that_is_of_no_use_is_one_sentence(
    content: str | None, words: str, tmp_path: Path
) -> None:
    held = tmp_path / "token"
    if content is not None:
        held.write_text(content)
    said = refusal("--token-file", str(held))
    assert words in said
    assert not content or content not in said


def test_a_directory_is_no_token_file(tmp_path: Path) -> None:
    assert "cannot be read (Is a directory)" in refusal("--token-file", str(tmp_path))


def test_a_variable_that_is_not_set_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[serve]\ntoken_env = "MY_TOKEN"\n')
    assert "(MY_TOKEN) is not set" in refusal("--config", str(file))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--port", "99999"), "99999 is above 65535"),
        (("--port", "http"), "'http' is not a number"),
        (("--host", "http://x"), "is no host name or address"),
        (("--json",), "takes no --compact, --json, --watch or --check"),
    ],
)
def test_wrong_arguments_are_one_sentence(words: tuple[str, ...], said: str) -> None:
    assert said in refusal(*words)


def test_its_options_are_for_it_alone() -> None:
    done = in_process("--json", "--demo", "--port", "1")
    assert done.returncode == 2
    assert "belong to `tokentop serve`" in done.stderr


@pytest.mark.parametrize("name", ["starlette", "uvicorn"])
def test_without_the_extra_it_says_how_to_install_it(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BARE.format(name=name), "tokentop", "serve", "--demo"],
        env=environment(), capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 2
    assert (
        done.stderr == "tokentop: `tokentop serve` needs an extra: pip install 'tokentop[serve]'\n"
    )


def test_no_other_view_loads_the_server() -> None:
    """Neither the line nor the JSON nor the doctor imports what only the extra brings."""
    code = (
        "import sys, tokentop.cli; sys.argv = sys.argv[1:]; tokentop.cli.main();"
        "sys.exit(bool({'starlette', 'uvicorn', 'tokentop.runtime.serve'} & set(sys.modules)))"
    )
    for words in (["--json", "--demo"], ["--compact", "--demo"], ["config"]):
        done = subprocess.run(
            [sys.executable, "-c", code, "tokentop", *words],
            env=environment(), capture_output=True, timeout=PATIENCE_S,
        )  # fmt: skip
        assert done.returncode == 0, words


def test_more_clients_than_descriptors_stop_no_poll() -> None:
    """With 160 descriptors and 200 clients some get 503, and the sources are polled as before."""
    limited = ("sh", "-c", f'ulimit -n 160; exec {TOKENTOP} "$@"', "sh")
    words = ("serve", "--no-gpus", "--interval", "0.5", "--port", "0")
    with serving() as stack, ExitStack() as crowd:
        env = environment(stack)
        process = crowd.enter_context(
            subprocess.Popen([*limited, *words], env=env, stderr=subprocess.PIPE, text=True)
        )
        crowd.callback(process.kill)
        port = port_of(process)
        clients = [crowd.enter_context(client(port)) for _ in range(200)]
        clients[0].get(f"{API}/stream")
        clients[0].until(b'"mint":true')
        assert b" 503 " in clients[-1].end()
        seen = clients[0].received.count(b"data: ")
        clients[0].until(b"data: ", seen + 3)
        assert b'"queued":3' in clients[0].received.rpartition(b"data: ")[2]


def test_it_holds_few_descriptors_and_leaves_none_behind(frozen: tuple[str, int]) -> None:
    """After many clients have come and gone it has as many open as before."""
    url, pid = frozen
    with httpx.Client(base_url=url) as web:
        place = Path(f"/proc/{pid}/fd")
        web.get(API, headers={"connection": "close"})
        before = len(os.listdir(place))
        for _ in range(50):
            web.get(API, headers={"connection": "close"})
        while len(os.listdir(place)) > before:
            pass
