"""More engines than this process has descriptors or time for: our limit, not their fault."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.command import environment, in_terminal, run
from tokentop import cli


@contextmanager
def engines(count: int, folder: Path) -> Iterator[dict[str, str]]:
    """That many engines in another process, and an environment whose configuration names them."""
    program = [sys.executable, "-m", "tests.servers.many", str(count)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            urls = json.loads(child.stdout.readline())
            rows = (f'[[engine]]\nurl = "{url}"\nkind = "vllm"\n' for url in urls)
            (folder / "c.toml").write_text("[gpus]\nenabled = false\n" + "".join(rows))
            yield {
                "PATH": os.environ["PATH"],
                "TERM": "xterm-256color",
                "LANG": "C.UTF-8",
                "TOKENTOP_CONFIG": str(folder / "c.toml"),
                "TOKENTOP_DISCOVERY": "false",
                "XDG_CACHE_HOME": str(folder / "cache"),
                "HOME": str(folder),
            }
        finally:
            child.kill()


def limited(descriptors: int) -> tuple[str, ...]:
    return ("sh", "-c", f'ulimit -n {descriptors}; exec "$0" "$@"')


@pytest.mark.parametrize(("count", "descriptors"), [(1000, 64), (400, 1024)])
def test_a_one_shot_calls_no_healthy_engine_down(
    count: int, descriptors: int, tmp_path: Path
) -> None:
    """What could not be polled in time is unknown, and the reason is our own limit."""
    with engines(count, tmp_path) as env:
        began = time.monotonic()
        done = run("--json", env=env, wrapper=limited(descriptors))
        took = time.monotonic() - began
    assert done.stderr == ""
    snapshot = json.loads(done.stdout)
    states = [one["state"] for one in snapshot["engines"]]
    unknown = [one for one in snapshot["engines"] if one["state"] != "online"]
    assert len(states) == count
    assert {one["reason"] for one in unknown} <= {"our-limit"}
    assert {one["state"] for one in unknown} <= {"stale"}
    assert snapshot["health"]["state"] != "down"
    assert took < 10.0  # 3 s on an idle machine


def test_what_could_not_be_polled_in_time_is_unknown(tmp_path: Path) -> None:
    """A deadline that is too short for so many engines: no word of them being down."""
    with engines(400, tmp_path) as env:
        config = tmp_path / "c.toml"
        config.write_text("deadline = 0.35\n" + config.read_text())
        snapshot = json.loads(run("--json", env=env).stdout)
    unknown = [one for one in snapshot["engines"] if one["state"] != "online"]
    assert unknown
    assert {one["reason"] for one in unknown} == {"our-limit"}
    assert all("in time" in one["error"] for one in unknown)
    assert snapshot["health"]["state"] == "degraded"


def test_the_screen_shows_all_of_them_and_ends(tmp_path: Path) -> None:
    """It opens, reads every engine with the descriptors there are, and leaves at `q`."""
    with (
        engines(400, tmp_path) as env,
        in_terminal(env=env, columns=160, wrapper=limited(64)) as terminal,
    ):
        terminal.until("Room for more")
        terminal.press("q")
        assert terminal.end() == 0
    assert "Traceback" not in terminal.seen


STARVED_THREAD = """
import sys
from tokentop import threads
def dies(work):
    raise MemoryError
threads._run = dies
from tokentop.cli import entry
sys.argv = ["tokentop", "--compact", "--no-gpus", "--config", sys.argv[1]]
entry()
"""


def test_a_thread_without_memory_for_its_first_call(tmp_path: Path) -> None:
    """It is the search's: the line is there at its deadline, and nothing beside it."""
    config = tmp_path / "c.toml"
    config.write_text("deadline = 0.35\n")
    words = [sys.executable, "-c", STARVED_THREAD, str(config)]
    env = {**environment(), "TOKENTOP_DISCOVERY": "true"}
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


@pytest.mark.parametrize("mib", [30, 31, 32, 33, 36, 41])
def test_a_line_with_little_memory(mib: int, tmp_path: Path) -> None:
    """`ulimit -v` at which a module, a thread's stack or an answer finds no place: the line, or one
    sentence."""
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    starved = ("sh", "-c", f'ulimit -v {mib * 1024}; exec "$0" "$@"')
    done = run("--compact", "--no-gpus", env=env, wrapper=starved)
    if done.stdout:
        assert done.stderr == ""
    else:
        assert done.stderr.startswith("tokentop: not enough memory; raise the limit")
        assert done.stderr.count("\n") == 1
        assert done.returncode == 1


@pytest.mark.parametrize(("words", "code"), [([], 1), (["--check"], 3)])
def test_no_memory_to_say_so_with(
    words: list[str],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """While the sentence is looked for, memory runs out again, and the interpreter says what it
    says then."""

    def starved(*_: object) -> int:
        message = "error return without exception set"
        raise SystemError(message)

    monkeypatch.setattr(cli, "_main", starved)
    monkeypatch.setattr(cli, "_crashed", _fails_once(cli._crashed))
    assert cli.main(words) == code
    assert capsys.readouterr().err.startswith("tokentop: not enough memory; raise the limit")


def _fails_once(real: Callable[[int], int]) -> Callable[[int], int]:
    first = iter([True])

    def crashed(bad: int) -> int:
        if next(first, False):
            raise MemoryError
        return real(bad)

    return crashed
