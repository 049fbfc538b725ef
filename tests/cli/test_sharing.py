"""Views answer from what another process of this user has just polled, and else poll."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from tests.cli.command import environment, in_process, in_terminal, run, started
from tests.cli.stack import ANSWERS
from tests.servers.behaviours import ok, routes
from tests.servers.loopback import Server

LONG = ("--no-gpus", "--interval", "60")
VIEWS = [["--compact"], ["--json"], ["--check"], ["--format", "{queued} {multiplier}"]]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(routes({path: ok(value) for path, value in ANSWERS.items()})) as stack:
        yield stack


@pytest.fixture
def env(server: Server, tmp_path: Path) -> dict[str, str]:
    tmp_path.chmod(0o700)
    return environment(server.url, XDG_RUNTIME_DIR=str(tmp_path))


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def left(env: dict[str, str]) -> list[Path]:
    """The snapshots that were left."""
    return list(Path(env["XDG_RUNTIME_DIR"]).glob("tokentop/snapshot-*.json"))


def test_no_view_polls_while_a_watch_does(server: Server, env: dict[str, str]) -> None:
    """The same figures and exit code as from a poll of its own, and no request at all."""
    with started("--json", "--watch", *LONG, env=env) as watch:
        first_line(watch)
        for view in VIEWS:
            before = len(server.asked)
            done = run(*view, *LONG, env=env)
            assert len(server.asked) == before, view
            fresh = in_process(*view, "--fresh", *LONG, env=env)
            assert len(server.asked) > before, view
            assert done.returncode == fresh.returncode == 0
            assert figures(done.stdout) == figures(fresh.stdout)


def figures(text: str) -> str:
    """What was printed, without the times and ages of a JSON object."""
    return re.sub(r'"(at|\w*age_s|latency_ms)":[^,}]*', "", text)


def test_the_screen_shares_what_it_polls(server: Server, env: dict[str, str]) -> None:
    """With the very latency that it measured, and nothing of how it draws."""
    with in_terminal("--theme", "light", *LONG, env=env, columns=120) as screen:
        screen.until("2.13")
        while not left(env):
            Event().wait(0.01)
        before = len(server.asked)
        done = run("--json", *LONG, env=env)
        assert len(server.asked) == before
    assert json.loads(done.stdout)["pricing"]["multiplier"] == 2.13


def test_of_many_watchers_one_polls(server: Server, env: dict[str, str]) -> None:
    with started("--compact", "--watch", *LONG, env=env) as one:
        line = first_line(one)
        before = len(server.asked)
        for _ in range(2):
            with started("--compact", "--watch", *LONG, env=env) as another:
                assert first_line(another) == line
        assert len(server.asked) == before


def test_a_line_is_no_answer_for_the_json(server: Server, env: dict[str, str]) -> None:
    """A line's poll leaves out temperatures and processes, which the JSON would then miss."""
    with started("--compact", "--watch", *LONG, env=env) as watch:
        first_line(watch)
        before = len(server.asked)
        in_process("--json", *LONG, env=env)
        assert len(server.asked) > before


def test_another_configuration_is_no_answer(server: Server, env: dict[str, str]) -> None:
    with started("--json", "--watch", *LONG, env=env) as watch:
        first_line(watch)
        for other in (["--interval", "59", "--no-gpus"], ["--interval", "60"]):
            before = len(server.asked)
            run("--compact", *other, env=env)
            assert len(server.asked) > before, other


def test_another_token_is_another_configuration(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    """And no token is in what is left, nor in its name."""
    file = tmp_path / "config.toml"
    file.write_text('[services.mint]\ntoken_env = "MINT"\n')
    words = ("--json", *LONG, "--config", str(file))
    with started("--watch", *words, env=env | {"MINT": "s3cret-one"}) as watch:
        first_line(watch)
        before = len(server.asked)
        in_process(*words, env=env | {"MINT": "s3cret-one"})
        assert len(server.asked) == before
        in_process(*words, env=env | {"MINT": "s3cret-two"})
        assert len(server.asked) > before
    assert left(env)
    assert not any("s3cret" in path.name + path.read_text() for path in left(env))


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_writer_that_ended_is_no_answer(
    server: Server, env: dict[str, str], end: signal.Signals
) -> None:
    with started("--json", "--watch", *LONG, env=env) as watch:
        first_line(watch)
        watch.send_signal(end)
        watch.wait()
        before = len(server.asked)
        in_process("--compact", *LONG, env=env)
        assert len(server.asked) > before


def test_what_is_older_than_its_interval_is_no_answer(server: Server, env: dict[str, str]) -> None:
    """A writer that was stopped is alive, and leaves nothing new."""
    fast = ("--no-gpus", "--interval", "0.5")
    with started("--json", "--watch", *fast, env=env) as watch:
        first_line(watch)
        watch.send_signal(signal.SIGSTOP)
        Event().wait(0.6)
        before = len(server.asked)
        in_process("--compact", *fast, env=env)
        assert len(server.asked) > before
        watch.send_signal(signal.SIGCONT)


def test_only_this_user_can_read_what_is_left_and_damage_is_no_answer(
    server: Server, env: dict[str, str]
) -> None:
    """Nor is a reused process number, which is followed by when its process began."""
    with started("--json", "--watch", *LONG, env=env) as watch:
        first_line(watch)
        (file,) = left(env)
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o777 == 0o700
        document = json.loads(file.read_text())
        document["value"]["started"] -= 1
        for damage in (json.dumps(document), "", '{"at":1e999}'):
            before = len(server.asked)
            file.write_text(damage)
            assert in_process("--compact", *LONG, env=env).returncode == 0
            assert len(server.asked) > before, damage


def test_the_demo_shares_nothing(env: dict[str, str]) -> None:
    with started("--json", "--watch", "--demo", env=env) as watch:
        first_line(watch)
        assert not left(env)


@pytest.mark.parametrize("words", [["--fresh"], ["doctor", "--fresh"]])
def test_fresh_is_for_what_would_share(words: list[str]) -> None:
    done = in_process(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--fresh is for --compact, --json and --check" in done.stderr
