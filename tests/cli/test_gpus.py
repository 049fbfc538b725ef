"""The command with the real pynvml on the fake driver: good, slow, hanging and refusing ones."""

import json
import re
import signal
from pathlib import Path
from time import monotonic

import pytest

from tests.cli.command import environment, run, started
from tests.fake_nvml import FakeNvml, calls

# The second where the deadline came before the first call: on a loaded machine, with 0.6 s.
SILENT = re.compile(r"NVIDIA driver (does not answer \(\w+ has lasted|has not answered yet)")


@pytest.fixture
def short(tmp_path: Path) -> str:
    """A configuration whose one-shot views end within 0.6 s."""
    path = tmp_path / "tokentop.toml"
    path.write_text("timeout = 0.3\ndeadline = 0.6\n")
    return str(path)


def no_stack(**more: str) -> dict[str, str]:
    """An environment in which the seven services are not configured."""
    whole = environment(**more)
    return {name: value for name, value in whole.items() if not name.endswith("_URL")}


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
    assert SILENT.search(nvml["error"])
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


@pytest.mark.parametrize("view", ["--compact", "--json", "doctor"])
def test_a_library_that_hangs_in_loading(
    fake_nvml: FakeNvml, short: str, tmp_path: Path, view: str
) -> None:
    """Not even pynvml's way to load it stops the clock: the view prints and the process ends."""
    flag = tmp_path / "hang"
    flag.touch()
    env = environment(**fake_nvml.env("eight"), FAKE_NVML_LOAD_HANG=str(flag))
    began = monotonic()
    done = run(view, "--config", short, env=env)
    assert monotonic() - began < 2.5
    assert done.returncode == 3
    assert done.stdout
    if view != "--compact":
        assert SILENT.search(" ".join(done.stdout.split()))


def test_one_gpu_that_hangs_costs_only_itself(fake_nvml: FakeNvml, tmp_path: Path) -> None:
    """The others' figures are in a one-shot as well, although their turn comes after it."""
    config = tmp_path / "tokentop.toml"
    config.write_text("deadline = 1.8\n")
    env = environment(**fake_nvml.env("four_hang"))
    began = monotonic()
    done = run("--json", "--config", str(config), "--no-discovery", env=env)
    assert monotonic() - began < 3.5
    gpus = json.loads(done.stdout)["gpus"]
    assert [gpu["state"] for gpu in gpus] == ["ok", "stale", "ok", "ok"]
    assert [gpu["utilization"] for gpu in gpus] == [0.8, None, 0.8, 0.8]
    assert gpus[1]["note"] == "not read yet"
    assert done.returncode == 0


def test_watch_takes_late_answers(fake_nvml: FakeNvml, short: str) -> None:
    """A reading that takes 0.8 s with 0.6 s for each line: the next line has it.

    From then on every line has one, and none is called stale.
    """
    env = no_stack(**fake_nvml.env("slow"))
    words = ("--compact", "--watch", "--interval", "0.5", "--config", short, "--no-discovery")
    with started(*words, env=env) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(8)]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
    first = next(place for place, line in enumerate(lines) if "GPU 12%" in line)
    assert first <= 3
    assert set(lines[first:]) == {"GPU 12% │ VRAM 19.5/79.6G │ no engine"}


def test_a_line_asks_the_driver_for_what_it_shows(fake_nvml: FakeNvml, tmp_path: Path) -> None:
    """Four calls a GPU (handle, UUID, VRAM, utilisation) and two to begin with."""
    log = tmp_path / "log"
    done = run("--compact", "--no-discovery", env=no_stack(**fake_nvml.env("eight", log=log)))
    assert done.stdout == "GPU 62% │ VRAM 670.6/1123.2G │ no engine\n"
    assert sum(calls(log).values()) <= 34


def test_a_lost_gpu_is_in_no_sum(fake_nvml: FakeNvml) -> None:
    """Three of four GPUs are counted, in the line as in JSON, and the alarm says why."""
    env = no_stack(**fake_nvml.env("four_lost"))
    done = run("--format", "{gpus} {vram_used}/{vram_total} {alarm}", env=env)
    assert done.stdout == "3 175.8/238.9 DEGRADED\n"
    snapshot = json.loads(run("--json", env=env).stdout)
    (reason, *_) = snapshot["health"]["reasons"]
    assert reason["code"] == "gpu_lost"
    assert reason["text"].startswith("GPU 2 is lost: fell off the bus")


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
    assert SILENT.search(" ".join(done.stdout.split()))
    assert "dmesg" in done.stdout
    assert done.returncode == 3


def test_the_doctor_calls_a_slow_driver_slow(fake_nvml: FakeNvml, tmp_path: Path) -> None:
    """Each call takes 0.8 s: the mend is persistence mode, and there is no word of a reboot."""
    slow = tmp_path / "slow.scn"
    slow.write_text(fake_nvml.scenario("eight").read_text() + "[system]\nlatency_ms = 800\n")
    done = run("doctor", env=environment(**fake_nvml.env(slow)))
    said = " ".join(done.stdout.split())
    assert "slow" in said
    assert "nvidia-smi -pm 1" in said
    assert "reboot" not in said
