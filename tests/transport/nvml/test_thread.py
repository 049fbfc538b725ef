"""The driver's threads: a call that hangs costs its own GPU, and blocks nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.transport.nvml.conftest import ROOT, Bench

LONG_S = 40.0
OPENING = "import sys, time\nfrom tests.transport.nvml.live import *\nlive = Live()\n"


class Machine:
    """Runs scripts against GPUs that may be changed mid-run: `play("NAME")` in the script."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.running = bench.folder / "running.scn"

    def run(self, script: str, scenario: str | Path, **later: str | Path) -> list[str]:
        """The lines that the script prints; `later` are the scenarios it may play."""
        bench, files = self.bench, {name: self._copy(file) for name, file in later.items()}
        self.running.write_bytes(self._file(scenario).read_bytes())
        done = subprocess.run(
            [sys.executable, "-c", OPENING + script],
            env={
                **os.environ,
                **bench.fake.env(self.running, log=bench.log, trace=bench.trace),
                **files,
            },
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=LONG_S,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    def _file(self, scenario: str | Path) -> Path:
        return scenario if isinstance(scenario, Path) else self.bench.fake.scenario(scenario)

    def _copy(self, scenario: str | Path) -> str:
        return str(self._file(scenario))


@pytest.fixture
def machine(bench: Bench) -> Machine:
    return Machine(bench)


class TestPolls:
    def test_nothing_is_asked_before_a_poll(self, machine: Machine):
        """A started thread waits, and has not even loaded pynvml."""
        assert machine.run("print('pynvml' in sys.modules, threads())", "four") == ["False 0"]

    def test_a_poll_is_answered_with_its_latency(self, machine: Machine):
        """A driver that needs 0.8 s for a figure says so."""
        script = "live = Live(2.5)\nlive.poll()\nprint(live.complete().latency_s)"
        assert 0.8 <= float(machine.run(script, "slow")[0]) < 3

    def test_polls_under_way_count_as_one(self, machine: Machine):
        """Twenty polls while the driver works on an answer make one more, not twenty."""
        script = """
live = Live(2.5)
live.poll()
live.until_calls(1)
for _ in range(20): live.poll()
live.complete()
"""
        machine.run(script, "slow")
        asked = [name for name, _, _ in machine.bench.traced() if "MemoryInfo" in name]
        assert 1 <= len(asked) <= 2

    def test_nothing_is_reported_after_stop(self, machine: Machine):
        """The answer of a call that was under way is dropped."""
        script = "live.poll()\nlive.stop()\nlive.join()\nprint(live.answers.empty())"
        assert machine.run(script, "slow") == ["True"]

    def test_a_fault_of_ours_is_an_answer(self, tmp_path: Path):
        """An error in reading becomes a failure, at this poll and at the next."""
        (tmp_path / "ctypes.py").write_text("raise KeyError('x')")
        script = "print(live.failure())\nprint(live.failure().text)"
        done = subprocess.run(
            [sys.executable, "-c", OPENING + script],
            env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=LONG_S,
        )
        assert done.stdout.splitlines()[1] == "reading the GPUs failed: KeyError"


class TestOneGpuHangs:
    def test_the_others_go_on(self, machine: Machine):
        """GPU 1 is given up in words; 0, 2 and 3 are read at every poll, at once, as before."""
        script = """
print(states(live.read()))
play("hangs")
print(states(live.read()))
print(live.last[1].note)
before = time.monotonic()
for _ in range(20):
    print(states(live.read()), [gpu.age_s < 0.2 for gpu in live.last if gpu.state == "ok"])
print("took", time.monotonic() - before < 0.3 * 20)
"""
        first, second, note, *rest, took = machine.run(script, "four", hangs="four_hang")
        assert (first, second) == ("ok ok ok ok", "ok lost ok ok")
        assert note.startswith("has not answered for 0 s (nvmlDeviceGet")
        assert note.endswith("see dmesg for Xid messages, then reset it or reboot")
        assert set(rest) == {"ok lost ok ok [True, True, True]"}
        assert took == "took True"

    def test_one_call_is_left_behind_and_one_thread(self, machine: Machine):
        """However often the others are polled: the stuck call is not made again."""
        script = 'live.read()\nplay("hangs")\nfor _ in range(20): live.read()\nprint(threads())'
        (threads,) = machine.run(script, "four", hangs="four_hang")
        assert int(threads) == 2

    def test_it_comes_back(self, machine: Machine):
        """Once the call returns, the GPU is read again at the next poll."""
        script = """
live.read()
play("hangs")
print(states(live.read()))
play("well")
live.until_idle()
print(states(live.read()), threads())
"""
        found = machine.run(script, "four", hangs="four_hang", well="four")
        assert found == ["ok lost ok ok", "ok ok ok ok 1"]

    def test_the_others_are_shown_while_it_is_waited_for(self, machine: Machine):
        """A reading goes out with what there is, before the GPU that hangs is given up."""
        script = """
live = Live(stuck_s=30)
live.poll()
while (found := states(live.answers.get(timeout=LONG_S).result.devices)) != "ok stale ok ok":
    print(found)
"""
        assert set(machine.run(script, "four_hang")) <= {
            "ok stale stale stale",
            "ok stale ok stale",
        }

    def test_eight_that_hang_cost_no_more_than_eight_threads(self, machine: Machine):
        """A thread for each stuck call, and one for the rest."""
        hang = machine.bench.changed("eight", "[device 0-6]", "latency.nvmlDeviceGet* = hang")
        script = (
            'live.read()\nplay("hangs")\nprint(states(live.read()))\nlive.read()\nprint(threads())'
        )
        found, threads = machine.run(script, "eight", hangs=hang)
        assert found == "lost " * 7 + "ok"
        assert int(threads) == 8


class TestTheDriverHangs:
    @pytest.mark.parametrize("scenario", ["hang_at_once", "four_hang"])
    def test_quitting_waits_for_no_call(self, machine: Machine, scenario: str):
        """The process ends by itself, at once, while the real library hangs in a call."""
        script = "live.poll()\nlive.wait_for_call()\nlive.stop()\nprint('leaving')"
        assert machine.run(script, scenario) == ["leaving"]

    def test_all_gpus_are_given_up(self, machine: Machine):
        """Every GPU says since when, and which call it is; polls go on being answered."""
        hang = machine.bench.changed("four", "[system]", "latency.nvml* = hang")
        script = """
live.read()
play("hangs")
print(states(live.read()))
print(states(live.read()), threads())
play("well")
live.until_idle()
print(states(live.read()))
"""
        found = machine.run(script, "four", hangs=hang, well="four")
        assert found == ["lost lost lost lost", "lost lost lost lost 4", "ok ok ok ok"]

    def test_a_driver_that_never_starts(self, machine: Machine):
        """The reason names the call and how long it has lasted; later polls are answered too."""
        script = "print(live.failure())\nprint(live.failure().text)\nprint(threads())"
        _, text, threads = machine.run(script, "hang_at_once")
        assert "does not answer (nvmlInit has lasted " in text
        assert "it may be starting" in text
        assert "reboot" not in text
        assert threads == "1"


class TestTheDriverIsSlow:
    """Each call takes 130 ms, a third of what a call may take here: 0.8 s beside 2.5 s."""

    @pytest.fixture
    def slow(self, bench: Bench) -> Path:
        return bench.changed("four", "[system]", "latency_ms = 130", **{"count = 4": "count = 2"})

    def test_slow_is_not_hanging(self, machine: Machine, slow: Path):
        """Not one answer calls a GPU lost or gives advice about a hang."""
        script = """
for _ in range(3):
    live.poll(Wanted())
    while True:
        answer = live.answers.get(timeout=LONG_S)
        failed = isinstance(answer.result, Failure)
        print(answer.result.text if failed else states(answer.result.devices))
        if answer.complete: break
"""
        found = machine.run(script, slow)
        assert found[-1] == "ok ok"
        assert not [line for line in found if "lost" in line or "dmesg" in line]

    def test_what_was_read_stays_read(self, machine: Machine, slow: Path):
        """From the first whole reading on no GPU is ever without figures."""
        script = """
live.read(Wanted())
for _ in range(4):
    live.poll(Wanted())
    print(states(live.answers.get(timeout=LONG_S).result.devices))
"""
        assert set(machine.run(script, slow)) == {"ok ok"}

    def test_the_words_before_the_first_reading(self, machine: Machine, slow: Path):
        """It is called slow, with the mend for a slow start, and the pace of its calls."""
        script = """
live.poll()
live.until_calls(3)
print(live.thread.silence().text)
"""
        (text,) = machine.run(script, slow)
        assert text.startswith("the NVIDIA driver is slow, no GPU is read after ")
        assert "nvidia-smi -pm 1" in text
        assert "reboot" not in text

    def test_a_monitor_does_not_crowd_it(self, machine: Machine, bench: Bench):
        """Sixty-four slow GPUs are read by four threads at most."""
        slow = bench.changed("sixty_four", "[system]", "latency_ms = 20")
        script = """
most = 0
live.poll(Wanted())
while True:
    answer = live.answers.get(timeout=LONG_S)
    most = max(most, threads())
    if answer.complete: break
print(most)
"""
        (most,) = machine.run(script, slow)
        assert int(most) <= 4


def test_a_healthy_driver_needs_one_thread_for_its_calls(machine: Machine):
    """Eight GPUs, ten polls, one thread; beside it the one that decides."""
    script = "for _ in range(10): live.read()\nprint(threads())"
    assert machine.run(script, "eight") == ["1"]
