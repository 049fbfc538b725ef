"""`--watch`: a line per refresh in a pipe, one line in place on a terminal, and quiet endings."""

import json
import signal
import subprocess
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.cli.command import environment, in_terminal, run, started
from tests.cli.engines import VLLM, captured, configuration
from tests.cli.stack import serving
from tests.servers.loopback import Server

FAST = ("--watch", "--no-gpus", "--interval", "0.5")
DEMO = ("--watch", "--demo=stack", "--interval", "0.5")


def test_a_pipe_gets_one_flushed_line_per_refresh() -> None:
    """Each line is there before the next is asked for."""
    with serving() as url, started("--compact", *FAST, env=environment(url)) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
    assert all(line.startswith("GPU 42% │ VRAM 18.2/24.0G") for line in lines)
    assert all(line.endswith("\n") for line in lines)


def test_json_is_one_object_a_line() -> None:
    """Every line stands for itself."""
    with serving() as url, started("--json", *FAST, env=environment(url)) as process:
        assert process.stdout is not None
        values = [json.loads(process.stdout.readline()) for _ in range(2)]
    assert [value["schema"] for value in values] == ["tokentop/1"] * 2
    assert values[0]["at"] < values[1]["at"]


def test_events_are_in_the_line_that_follows_the_change(tmp_path: Path) -> None:
    """An engine that ends is down once, and back once; the first line has nothing before it."""
    with captured(VLLM) as server:
        config = configuration(tmp_path, server.url)
        with started("--json", *FAST, "--config", config) as process:
            first = next(events(process))
            server.close()
            down = next(filter(None, events(process)))  # one poll later: it is not parked yet
            with Server(server.answer, port=server.port):
                back = next(filter(None, events(process)))
                rest = [e for each in islice(events(process), 3) for e in each]
    assert (first, rest) == ([], [])
    assert [event["code"] for event in (*down, *back)] == ["engine_down", "engine_back"]
    assert server.url.removeprefix("http://") in down[0]["text"]
    assert down[0]["at"] < back[0]["at"]


def events(process: subprocess.Popen[str]) -> Iterator[list[dict[str, str]]]:
    """Those of each line about an engine, as the lines come."""
    assert process.stdout is not None
    for line in process.stdout:
        yield [event for event in json.loads(line)["events"] if event["member"]]


def test_a_one_shot_has_no_events(tmp_path: Path) -> None:
    """It compares with nothing, whatever an earlier call has left."""
    tmp_path.chmod(0o700)
    env = environment(XDG_RUNTIME_DIR=str(tmp_path))
    with serving() as url:
        first = run("--json", "--no-gpus", env=env | environment(url))
    second = run("--json", "--no-gpus", env=env)
    assert json.loads(first.stdout)["events"] == json.loads(second.stdout)["events"] == []


def test_a_flipped_switch_holds_from_the_next_line(tmp_path: Path) -> None:
    """everything_free turned off in the file while --watch runs makes the costs real."""
    file = tmp_path / "config.toml"
    file.write_text("[pricing]\neverything_free = true\n")
    with started("--compact", *DEMO, "--config", str(file)) as process:
        assert process.stdout is not None
        assert " free " in process.stdout.readline()
        fresh = tmp_path / "new.toml"
        fresh.write_text("[pricing]\neverything_free = false\n")
        fresh.replace(file)
        lines = [process.stdout.readline() for _ in range(2)]
    assert " free " not in lines[-1]
    assert " cr " in lines[-1]


def test_a_reader_that_leaves_ends_it_quietly() -> None:
    """`| head -1` neither leaves a traceback nor waits for the next line to notice."""
    with started("--compact", "--watch", "--demo=stack", "--interval", "3600") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=20) == 141
        assert process.stderr.read() == ""


def test_one_shot_into_a_closed_pipe_is_quiet() -> None:
    """The reader may be gone before the first byte."""
    script = '("$0" "$@"; echo $? >&2) | true'
    done = run("--json", "--demo=stack", "--demo-at", "60", wrapper=("sh", "-c", script))
    assert done.stderr in ("141\n", "0\n")  # 0 where the pipe took the line before its end closed


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_signals_end_it_quietly(number: signal.Signals, code: int) -> None:
    """Told to end, it ends at once, without a word, with the code of that signal."""
    with started("--compact", "--watch", "--demo=stack", "--interval", "3600") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(timeout=20) == code
        assert process.stderr.read() == ""


def test_a_terminal_sees_one_line_rewritten() -> None:
    """On a terminal no line is ended before the command is; ctrl+c ends the line, then all."""
    with in_terminal("--compact", *DEMO) as terminal:
        terminal.until("DEMO", times=3)
        assert "\n" not in terminal.seen
        assert terminal.seen.count("\r") >= 2
        terminal.press("\x03")
        assert terminal.end() == 130
    assert terminal.seen.endswith("\n")


def test_a_narrow_terminal_is_never_wrapped() -> None:
    """The line is cut to the terminal, so that rewriting it in place stays one line."""
    env = environment(NO_COLOR="1")
    with in_terminal("--compact", *DEMO, env=env, columns=30) as terminal:
        terminal.until("DEMO", times=3)
        terminal.signal(signal.SIGTERM)
        assert terminal.end() == 143
    lines = terminal.seen.replace("\n", "\r").split("\r")
    assert max(map(len, lines[2:])) <= 29  # the size is set while the command starts
    assert "\x1b" not in terminal.seen


@pytest.mark.parametrize(
    ("more", "colored"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_only_where_it_is_wanted(more: dict[str, str], colored: bool) -> None:
    """A terminal gets the tier's colour, unless NO_COLOR is set non-empty or TERM is dumb."""
    with in_terminal(
        "--compact", "--demo=stack", "--demo-at", "100", env=environment(**more)
    ) as terminal:
        assert terminal.end() == 0
    assert ("\x1b[1;31mFULL 48/48 +63\x1b[0m" in terminal.seen) is colored
    assert ("\x1b" in terminal.seen) is colored
