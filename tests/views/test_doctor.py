"""The doctor: each finding in words, in aligned columns, with what to do about it."""

import re
import tempfile
from pathlib import Path

import pytest

from tests.box import DRIVER_HANGS
from tests.cli.command import environment, in_terminal, run
from tests.cli.stack import serving
from tokentop.collect.collector import Collector, ServiceResult
from tokentop.config.load import load
from tokentop.domain.readings import DeviceReading, Failure, GpusReading
from tokentop.domain.reasons import FailureKind
from tokentop.domain.snapshot import Snapshot
from tokentop.light_typing import get_args
from tokentop.runtime.oneshot.refresh import RefreshResult
from tokentop.views.doctor import advice
from tokentop.views.doctor.checks import devices, driver_failure, services
from tokentop.views.doctor.report import Page, Row, Section, render
from tokentop.views.terminal import detect

OF_THE_DRIVER = ("driver", "gpu-lost", "absent")
KINDS = [kind for kind in get_args(FailureKind) if kind not in OF_THE_DRIVER]


def test_everything_works() -> None:
    """With all services up each endpoint is listed with its answer and time; the code is 0."""
    with serving() as url:
        done = run("doctor", "--no-gpus", env=environment(url))
    assert done.returncode == 0
    assert done.stderr == ""
    answered = re.findall(r"● ok +GET /\S+ +200 in [\d.]+ ms", done.stdout)
    assert len(answered) == 15
    assert "7 of 7 services answer" in done.stdout
    assert f"genesis  {url}" in done.stdout


def test_an_exposed_token_is_warned_about_once(tmp_path: Path) -> None:
    """By the doctor in its report, by every other view in one line on standard error."""
    with tempfile.TemporaryDirectory(dir="/tmp") as shared:  # pytest's own folder is closed
        token, config = Path(shared) / "token", tmp_path / "config.toml"
        Path(shared).chmod(0o755)
        token.write_text("s3cr3t")
        token.chmod(0o644)
        config.write_text(f'[services.genesis]\ntoken_file = "{token}"\n')
        done = run("doctor", "--no-gpus", "--config", str(config))
        line = run("--compact", "--no-gpus", "--config", str(config))
    words = "other users of this machine can read the token"
    assert words in " ".join(done.stdout.split())
    assert done.stderr == ""
    assert line.stderr.count(words) == 1
    assert words not in line.stdout
    assert "s3cr3t" not in done.stdout + line.stderr


def test_nothing_works() -> None:
    """With all off the report is whole, says what to do, and the code is 3."""
    done = run("doctor", "--no-gpus")
    assert done.returncode == 3
    assert done.stdout.count("nothing listens at") == 7
    assert "AITHER_STRATA_URL=URL" in done.stdout
    assert "tokentop --demo" in done.stdout
    assert "\x1b" not in done.stdout
    assert all(line == line.rstrip() for line in done.stdout.splitlines())


def test_each_trouble_has_its_own_words() -> None:
    """A refused token, a missing path and a wrong body are told apart, beside what works."""
    changed = {"llm_queue": 401, "mint_rates": 404, "capacity": b"<html>", "gpu_metrics": 500}
    with serving(**changed) as url:
        done = run("doctor", "--no-gpus", env=environment(url))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    for path, words in (
        ("/llm/queue", "401"),
        ("/mint/rates", "404"),
        ("/gpu/metrics", "500"),
        ("/capacity", ""),
    ):
        (line,) = [line for line in lines if f"GET {path} " in line]
        assert "ok" not in line.split()[1]
        assert words in line
    assert "token_env or token_file" in done.stdout
    assert "[services.mint.paths]" in done.stdout


def test_columns_line_up() -> None:
    """Within a section every finding starts in the same cell."""
    with serving() as url:
        done = run("doctor", "--no-gpus", env=environment(url))
    starts = {line.index(" 200 in") for line in done.stdout.splitlines() if "GET /queue" in line}
    starts |= {line.index(" 200 in") for line in done.stdout.splitlines() if "GET /vram" in line}
    assert len(starts) == 1


def test_on_a_terminal_it_has_colour_and_says_what_it_can() -> None:
    """The terminal's size and name are told, and the findings are coloured by state."""
    with in_terminal("doctor", "--demo-at", "20") as terminal:
        assert terminal.end() == 0
    assert "TERM=xterm-256color" in terminal.seen
    assert "\x1b[32m● ok  \x1b[0m" in terminal.seen
    assert "everything below is simulated" in terminal.seen


def test_ascii() -> None:
    """--ascii needs no other byte."""
    assert run("doctor", "--ascii", "--no-gpus").stdout.isascii()


@pytest.mark.parametrize("kind", get_args(FailureKind))
def test_another_program_is_one_that_was_reached(kind: FailureKind) -> None:
    """A port where nothing listens, a host without a name or a route: no program is there."""
    config = load({}, {"HOME": "/nonexistent"}, None)
    source = Collector(config, "box", demo=False).sources[0]
    result = RefreshResult(((source, ServiceResult(Failure(kind, "x"))),))
    (section,) = services(config, result, Snapshot())
    reached = any("another program" in row.found for row in section.rows)
    assert reached == (kind not in ("refused", "unreachable", "no-such-host", "no-route"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_failure_has_advice(kind: FailureKind) -> None:
    """No kind of failure is left without a way on, and no placeholder without its value."""
    words = advice.for_service(Failure(kind, "x"), "mint", "AITHER_STRATA_URL")
    assert words
    assert "{" not in words


def test_a_driver_that_hangs_and_one_that_is_not_there() -> None:
    """No driver is no fault; one that does not answer is."""
    absent = driver_failure(Failure("absent", "no NVIDIA driver here (install the driver)"))
    hanging = driver_failure(DRIVER_HANGS)
    assert (absent.mark, hanging.mark) == ("off", "fail")
    assert hanging.found == "the NVIDIA driver does not answer (nvmlInit has lasted 47.0 s)"
    assert hanging.todo == "see dmesg for Xid messages, then reload it or reboot"


def test_each_gpu_says_what_it_would_not() -> None:
    """Lost, suspended and refusing GPUs each have a row in words; MIG instances have none."""
    reading = GpusReading(
        (
            DeviceReading(0, "GPU-0", "H200", processes=()),
            DeviceReading(1, "GPU-1", "H200", state="lost", note="fell off the bus"),
            DeviceReading(2, "GPU-2", "H200", state="suspended"),
            DeviceReading(3, "GPU-3", "H200", processes=None),
            DeviceReading(0, "MIG-0", "H200 MIG", mig="GPU-0"),
        )
    )
    rows = devices(reading)
    assert [row.mark for row in rows] == ["ok", "fail", "info", "ok"]
    assert "fell off the bus" in rows[1].found
    assert "suspended" in rows[2].found
    assert "process list" in rows[3].found


@pytest.mark.parametrize("width", [40, 80, 200])
def test_long_words_fold_and_remote_text_is_harmless(width: int) -> None:
    """A line is folded at blanks to the width, and nothing unprintable passes."""
    row = Row("fail", "GET /x", "many words " * 30 + "\x1b[31m\u202e", "do this " * 40)
    text = render((Section("Title", (row,)),), Page(width=width))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert max(map(len, text.splitlines())) <= max(width, 62)


def test_what_a_terminal_can_do_is_read_from_its_environment() -> None:
    """A closed stream can do nothing; tmux is recognised by its variable or its TERM."""
    nothing = detect(None, {"TERM": "xterm"})
    assert (nothing.tty, nothing.colors, nothing.utf8) == (False, 0, False)
    assert detect(None, {"TMUX": "/tmp/x"}).multiplexer == "tmux"
    assert detect(None, {"TERM": "screen-256color"}).multiplexer == "screen"
    assert detect(None, {"TERM": "xterm"}).multiplexer is None
