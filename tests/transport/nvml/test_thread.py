"""The driver's thread: what hangs there holds up nobody."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.fake_nvml import FakeNvml
from tests.transport.nvml.conftest import ROOT
from tokentop.domain.readings import Failure, GpusReading
from tokentop.transport.nvml import NvmlThread

LONG_S = 10.0


class Driver:
    """A driver that answers when it is let, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.entered = threading.Semaphore(0)
        self.let = threading.Semaphore(0)
        self.results: list[tuple[object, float]] = []
        self.reported = threading.Semaphore(0)
        self.now = 100.0
        self.thread = NvmlThread(self.report, read=self.read, clock=lambda: self.now)

    def read(self, now: float) -> GpusReading:
        self.asked += 1
        self.entered.release()
        assert self.let.acquire(timeout=LONG_S)
        return GpusReading(driver_version=str(self.asked))

    def report(self, answer: object, latency_s: float) -> None:
        self.results.append((answer, latency_s))
        self.reported.release()


@pytest.fixture
def driver() -> Iterator[Driver]:
    driver = Driver()
    driver.thread.start()
    yield driver
    driver.thread.stop()
    driver.let.release(100)


def test_nothing_is_asked_before_a_poll(driver: Driver):
    """A started thread waits."""
    assert driver.thread.busy_since is None
    assert driver.asked == 0


def test_a_poll_is_answered_with_its_latency(driver: Driver):
    """Each answer comes with the time it took."""
    driver.thread.poll()
    assert driver.entered.acquire(timeout=LONG_S)
    driver.now += 0.8
    driver.let.release()
    assert driver.reported.acquire(timeout=LONG_S)
    answer, latency_s = driver.results[0]
    assert answer == GpusReading(driver_version="1")
    assert latency_s == pytest.approx(0.8)


def test_busy_since_tells_how_long_the_driver_is_silent(driver: Driver):
    """While a call is under way its start is known; afterwards there is none."""
    driver.thread.poll()
    assert driver.entered.acquire(timeout=LONG_S)
    driver.now += 12
    assert driver.now - driver.thread.busy_since == 12
    driver.let.release()
    assert driver.reported.acquire(timeout=LONG_S)
    assert driver.thread.busy_since is None


def test_polls_under_way_count_as_one(driver: Driver):
    """However many polls a slow answer spans, one more is made."""
    driver.thread.poll()
    assert driver.entered.acquire(timeout=LONG_S)
    for _ in range(20):
        driver.thread.poll()
    driver.let.release(2)
    assert driver.reported.acquire(timeout=LONG_S)
    assert driver.reported.acquire(timeout=LONG_S)
    assert driver.asked == 2


def test_read_within_gives_the_answer(driver: Driver):
    """A one-shot view gets the reading it asked for."""
    driver.let.release()
    assert driver.thread.read_within(LONG_S) == GpusReading(driver_version="1")


def test_read_within_takes_the_poll_already_made(driver: Driver):
    """A poll made while other sources were fetched is not made twice."""
    driver.let.release()
    driver.thread.poll()
    assert driver.reported.acquire(timeout=LONG_S)
    assert driver.thread.read_within(LONG_S) == GpusReading(driver_version="1")
    assert driver.asked == 1


def test_read_within_asks_anew_every_time(driver: Driver):
    """With --watch every line has its own reading."""
    driver.let.release(2)
    driver.thread.read_within(LONG_S)
    assert driver.thread.read_within(LONG_S) == GpusReading(driver_version="2")


def test_read_within_gives_up(driver: Driver):
    """A driver that does not answer in time is said to be silent."""
    answer = driver.thread.read_within(0.01)
    assert answer == Failure("timeout", "the NVIDIA driver did not answer within 0.01 s")


def test_a_hanging_driver_is_not_waited_for_twice(driver: Driver):
    """Once it has been silent for the whole limit, the next view is not held up by it."""
    driver.thread.poll()
    assert driver.entered.acquire(timeout=LONG_S)
    driver.now += 600
    answer = driver.thread.read_within(600)
    assert isinstance(answer, Failure)
    assert answer.kind == "timeout"


def test_nothing_is_reported_after_stop(driver: Driver):
    """Stop returns at once during a call, whose late answer disturbs nobody."""
    driver.thread.poll()
    assert driver.entered.acquire(timeout=LONG_S)
    driver.thread.stop()
    driver.let.release()
    assert driver.thread.read_within(LONG_S) == GpusReading(driver_version="1")
    assert driver.results == []


def test_a_fault_of_ours_is_an_answer():
    """An error in reading becomes a failure; the next poll is answered."""
    faults = iter([KeyError("x"), None])

    def read(now: float) -> GpusReading:
        if fault := next(faults):
            raise fault
        return GpusReading()

    thread = NvmlThread(read=read)
    assert thread.read_within(LONG_S) == Failure("driver", "reading the GPUs failed: KeyError")
    assert thread.read_within(LONG_S) == GpusReading()
    thread.stop()


QUIT = """
import sys, time
from tokentop.transport.nvml import NvmlThread
thread = NvmlThread()
answer = thread.read_within({deadline})
print(type(answer).__name__, answer[:2])
thread.stop()
print("leaving", time.monotonic())
"""


@pytest.mark.parametrize("scenario", ["hang_at_once", "four_hang"])
def test_quitting_while_the_driver_hangs(fake_nvml: FakeNvml, scenario: str):
    """The process ends on its own, by itself, while the real library hangs in a call."""
    done = subprocess.run(
        [sys.executable, "-c", QUIT.format(deadline=0.3)],
        env={**os.environ, **fake_nvml.env(scenario)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONG_S,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Failure ('timeout'" in done.stdout
    assert "leaving" in done.stdout


MIDRUN = """
import os, threading
from tokentop.transport.nvml import NvmlThread
thread = NvmlThread()
print(len(thread.read_within(10).devices))
os.replace(os.environ["NEXT"], os.environ["FAKE_NVML_SCENARIO"])
print(thread.read_within(0.3).kind, thread.busy_since is not None, thread.read_within(0.3).kind)
os.replace(os.environ["LAST"], os.environ["FAKE_NVML_SCENARIO"])
thread.poll()
print([gpu.state for gpu in thread.read_within(10).devices])
"""


def test_a_driver_that_hangs_midrun_and_recovers(fake_nvml: FakeNvml, tmp_path):
    """Fine, then silent, then fine again: each is said, and nobody is held up between."""
    files = {name: tmp_path / name for name in ("now", "next", "last")}
    for file, scenario in zip(files.values(), ("four", "four_hang", "four"), strict=True):
        file.write_bytes(fake_nvml.scenario(scenario).read_bytes())
    environment = {"NEXT": str(files["next"]), "LAST": str(files["last"])}
    done = subprocess.run(
        [sys.executable, "-c", MIDRUN],
        env={**os.environ, **environment, **fake_nvml.env(files["now"])},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stderr == ""
    assert done.stdout.split("\n")[:3] == [
        "4",
        "timeout True timeout",
        "['ok', 'ok', 'ok', 'ok']",
    ]
