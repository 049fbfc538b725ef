"""Clouds that rent GPUs, asked by the installed command: GET only, seldom, and with a secret."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest

from tests.cli.command import PATIENCE_S, environment, in_process, run, started
from tests.runtime.serve.greeting import port_of
from tests.servers.behaviours import endless_body, html, ok, status
from tests.servers.loopback import Behaviour, Connection, Server
from tokentop.sources.collector import STREAM

PAYLOADS = Path(__file__).parents[1] / "payloads" / "offers"
KEY = "k3y-that-must-not-be-seen"
BY_PATH = {  # the documented paths, without their queries
    "/vast/api/v0/bundles/": "vast/offers",
    "/vast/api/v1/instances/": "vast/instances",
    "/runpod/v2/catalog/gpus": "runpod/offers",
    "/runpod/v2/pods": "runpod/instances",
    "/lambda/api/v1/instance-types": "lambda/offers",
    "/lambda/api/v1/instances": "lambda/instances",
}
QUIET = ("--no-gpus", "--no-discovery", "--no-state")


def documented(connection: Connection) -> bool:
    """Each list as its documentation prints it, to who shows the key."""
    if connection.asked.headers.get("authorization") != f"Bearer {KEY}":
        return status(401)(connection)
    name = BY_PATH[connection.asked.path.partition("?")[0]]
    return ok((PAYLOADS / f"{name}.json").read_bytes())(connection)


def echoing(connection: Connection) -> bool:
    """Gives back what it was sent, in a name that is shown."""
    gpu = {"id": 1, "gpu_name": connection.asked.headers["authorization"], "dph_total": 1}
    return ok({"instances": [gpu], "offers": [], "gpus": [], "pods": [], "data": []})(connection)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(documented) as clouds:
        yield clouds


def asked_with(
    server: Server, folder: Path, *words: str, key: str = KEY, by: Callable[..., Any] = in_process
) -> tuple[str, str]:
    """Output and errors of the command where all three clouds are configured."""
    config = str(configured(server, folder, key))
    done = by(*words, "--config", config, env=where(folder))
    return done.stdout, done.stderr


def configured(server: Server, folder: Path, key: str = KEY) -> Path:
    (folder / "key").write_text(key)
    (folder / "key").chmod(0o600)
    names = ("vast", "runpod", "lambda")
    lines = [f'[offers.{n}]\nurl = "{server.url}/{n}"\ntoken_file = "key"\n' for n in names]
    file = folder / "config.toml"
    file.write_text("\n".join(lines))
    return file


def where(folder: Path) -> dict[str, str]:
    """An environment that keeps everything below one folder."""
    folder.chmod(0o700)
    return environment(XDG_RUNTIME_DIR=str(folder), XDG_CACHE_HOME=str(folder))


def snapshot(server: Server, folder: Path, **how: Any) -> Any:
    return json.loads(asked_with(server, folder, "--json", "--fresh", *QUIET, **how)[0])


def test_real_offers_and_instances_on_a_box_with_nothing_else(
    server: Server, tmp_path: Path
) -> None:
    """Six GETs fill the capacity and the cloud; five minutes long no further one is made."""
    found = snapshot(server, tmp_path)
    nxt = found["capacity"]["next_instance"]
    assert (nxt["gpu"], nxt["provider"], nxt["usd_per_hour"]) == ("RTX 4090", "RunPod", 0.44)
    assert [one["provider"] for one in found["cloud"]["instances"]] == ["Vast.ai", "RunPod",
                                                                        "Lambda"]  # fmt: skip
    assert found["cloud"]["usd_per_hour"] == pytest.approx(0.8021 + 0.44 + 15.92)
    assert {one.method for one in server.asked} == {"GET"}
    assert sorted(one.path.partition("?")[0] for one in server.asked) == sorted(BY_PATH)
    again = snapshot(server, tmp_path)
    assert len(server.asked) == 6
    assert again["cloud"]["instances"] == found["cloud"]["instances"]
    assert again["capacity"]["next_instance"] == nxt


@pytest.mark.parametrize("words", [("--json", "--watch"), ("serve", "--port", "0")])
def test_what_runs_for_long_asks_no_oftener(
    server: Server, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Six polls, at half a second, make six requests: one for each list."""
    file = configured(server, tmp_path)
    every = ("--interval", "0.5", "--no-gpus", "--config", str(file))
    with started(*words, *every, env=where(tmp_path)) as process:
        for _ in range(6):
            assert server.arrived.acquire(timeout=PATIENCE_S)
        if words[0] == "serve":
            port = port_of(process)
            with httpx.stream("GET", f"http://127.0.0.1:{port}{STREAM}", timeout=9) as stream:
                events = (line for line in stream.iter_lines() if line.startswith("data:"))
                for _ in range(4):
                    next(events)
        elif process.stdout is not None:
            for _ in range(6):
                process.stdout.readline()
        assert len(server.asked) == 6


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (documented, "refused the token (401): check what token_env or token_file holds"),
        (status(429), "wants fewer requests (429)"),
        (status(503), "answered 503"),
        (html(), "the answer is HTML, not JSON"),
        (ok({}), "the answer holds no list called"),
        (endless_body(), "sent more than"),
    ],
    ids=["wrong key", "rate limit", "down", "html", "another shape", "endless"],
)
def test_each_trouble_is_one_sentence(
    server: Server, tmp_path: Path, answer: Behaviour, words: str
) -> None:
    """In the snapshot and in the doctor's report, and nowhere the key."""
    server.answer = answer
    wrong = "wr0ng-key" if answer is documented else KEY
    out, err = asked_with(server, tmp_path, "doctor", *QUIET, key=wrong)
    assert " ".join(words.split()[:3]) in " ".join(out.split())
    assert (err, out.count(wrong)) == ("", 0)
    asked = len(server.asked)
    assert asked == 6
    rows = {one["name"]: one for one in snapshot(server, tmp_path, key=wrong)["services"]}
    assert len(server.asked) == asked
    for name in ("vast", "runpod", "lambda"):
        assert words in rows[name]["error"]
        assert "\n" not in rows[name]["error"]


def test_a_key_that_is_echoed_is_not_shown(server: Server, tmp_path: Path) -> None:
    server.answer = echoing
    out, err = asked_with(server, tmp_path, "--json", "--fresh", *QUIET, by=run)
    assert KEY not in out + err
    assert "Bearer [secret]" in out


def test_the_key_is_in_no_view(server: Server, tmp_path: Path) -> None:
    """Not in the configuration's own listing, the doctor's report and bundle, a line or a cache."""
    bundle = tmp_path / "bundle.zip"
    views = ("config",), ("doctor", *QUIET, "--bundle", str(bundle)), ("--compact", *QUIET)
    for words in views:
        out, err = asked_with(server, tmp_path, *words)
        assert KEY not in out + err
    with ZipFile(bundle) as parts:
        assert not [name for name in parts.namelist() if KEY.encode() in parts.read(name)]
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "key"]
    assert len(kept) > 1
    assert not [path for path in kept if KEY.encode() in path.read_bytes()]


def test_the_demo_leaves_the_clouds_alone(server: Server, tmp_path: Path) -> None:
    out, _ = asked_with(server, tmp_path, "--demo", "--json")
    assert json.loads(out)["demo"]
    assert server.asked == []
