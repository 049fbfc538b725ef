"""The driver's thread: what hangs there blocks nothing else."""

import os
import queue
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
    """A driver that answers when it is let, and counts how often it was read."""

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


def test_busy_since_is_when_the_call_under_way_began(driver: Driver):
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


def test_nothing_is_reported_after_stop(driver: Driver):
    """Stop returns at once during a call, whose late answer is dropped."""
    driver.thread.poll()
    assert driver.entered.acquire(timeout=LONG_S)
    driver.thread.stop()
    driver.let.release()
    for thread in threading.enumerate():
        if thread.name == "nvml":
            thread.join(LONG_S)
    assert driver.results == []


def test_a_fault_of_ours_is_an_answer():
    """An error in reading becomes a failure; the next poll is answered."""
    faults = iter([KeyError("x"), None])
    answers: queue.SimpleQueue[object] = queue.SimpleQueue()

    def read(now: float) -> GpusReading:
        if fault := next(faults):
            raise fault
        return GpusReading()

    thread = NvmlThread(lambda answer, _: answers.put(answer), read=read)
    thread.start()
    thread.poll()
    assert answers.get(timeout=LONG_S) == Failure("driver", "reading the GPUs failed: KeyError")
    thread.poll()
    assert answers.get(timeout=LONG_S) == GpusReading()
    thread.stop()


WAITING = """
import os, queue, time
from tokentop.transport.nvml import NvmlThread
answers = queue.SimpleQueue()
thread = NvmlThread(lambda answer, latency_s: answers.put(answer))
thread.start()

def read(seconds):
    thread.poll()
    try:
        return answers.get(timeout=seconds)
    except queue.Empty:
        return None
"""
QUIT = (
    WAITING
    + """
print(read(0.3), thread.busy_since is not None)
thread.stop()
print("leaving", time.monotonic())
"""
)


@pytest.mark.parametrize("scenario", ["hang_at_once", "four_hang"])
def test_quitting_while_the_driver_hangs(fake_nvml: FakeNvml, scenario: str):
    """The process ends on its own, by itself, while the real library hangs in a call."""
    done = subprocess.run(
        [sys.executable, "-c", QUIT],
        env={**os.environ, **fake_nvml.env(scenario)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONG_S,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("None True\nleaving")


MIDRUN = (
    WAITING
    + """
print(len(read(10).devices))
os.replace(os.environ["NEXT"], os.environ["FAKE_NVML_SCENARIO"])
print(read(0.3), thread.busy_since is not None)
os.replace(os.environ["LAST"], os.environ["FAKE_NVML_SCENARIO"])
late = answers.get(timeout=10)
print([gpu.state for gpu in read(10).devices])
"""
)


def test_a_driver_that_hangs_midrun_and_recovers(fake_nvml: FakeNvml, tmp_path):
    """Fine, then without an answer, then fine again, and each state is visible."""
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
    assert done.stdout.split("\n")[:3] == ["4", "None True", "['ok', 'ok', 'ok', 'ok']"]
