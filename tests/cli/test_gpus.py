"""The command with the real pynvml on the fake driver: good, slow, hanging and refusing ones."""

import json
import signal
from pathlib import Path
from time import monotonic

import pytest

from tests.cli.command import environment, run, started
from tests.fake_nvml import FakeNvml


@pytest.fixture
def short(tmp_path: Path) -> str:
    """A configuration whose one-shot views end within 0.6 s."""
    path = tmp_path / "tokentop.toml"
    path.write_text("timeout = 0.3\ndeadline = 0.6\n")
    return str(path)


def test_eight_gpus_without_a_stack(fake_nvml: FakeNvml) -> None:
    """A box with GPUs alone has a full line and exit code 0: the driver is a live source."""
    env = environment(**fake_nvml.env("eight"))
    done = run("--format", "{gpus} {gpu_util} {vram_used}/{vram_total} {queued}", env=env)
    assert (done.stdout, done.returncode) == ("8 62 670.6/1123.2 —\n", 0), done.stderr


def test_a_driver_that_hangs_is_left_behind(fake_nvml: FakeNvml, short: str) -> None:
    """The line is printed at the deadline, whatever the driver's thread is stuck in."""
    env = environment(**fake_nvml.env("hang_at_once"))
    began = monotonic()
    done = run("--json", "--config", short, env=env)
    took = monotonic() - began
    nvml = json.loads(done.stdout)["services"][-1]
    assert nvml["name"] == "nvml"
    assert "does not answer" in nvml["error"]
    assert done.returncode == 3
    assert took < 2.5


def test_a_hanging_driver_does_not_hold_up_the_end(fake_nvml: FakeNvml, short: str) -> None:
    """Ctrl+c in the middle of a hanging call ends the process at once."""
    env = environment(**fake_nvml.env("hang_at_once"))
    words = ("--compact", "--watch", "--interval", "0.5", "--config", short)
    with started(*words, env=env) as process:
        assert process.stdout is not None
        process.stdout.readline()
        began = monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert monotonic() - began < 1.0


@pytest.mark.parametrize(
    ("scenario", "words", "code"),
    [
        ("eight", "version 580.95.05, 8 GPUs", 0),
        ("mismatch", "reboot", 3),
        ("not_loaded", "not loaded", 3),
        ("four_lost", "GPU 2", 0),
    ],
)
def test_the_doctor_says_what_the_driver_says(
    fake_nvml: FakeNvml, scenario: str, words: str, code: int
) -> None:
    """Version and count, or the reason in words, and the exit code that goes with it."""
    done = run("doctor", env=environment(**fake_nvml.env(scenario)))
    assert words in " ".join(done.stdout.split())
    assert done.returncode == code


def test_the_doctor_has_advice_for_a_hanging_driver(fake_nvml: FakeNvml, short: str) -> None:
    """It says that the driver does not answer, and what to try."""
    done = run("doctor", "--config", short, env=environment(**fake_nvml.env("hang_at_once")))
    assert "does not answer" in done.stdout
    assert "dmesg" in done.stdout
    assert done.returncode == 3
