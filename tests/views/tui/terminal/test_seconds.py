"""The clock of the screen: no second is left out, and a picture in time is its second's tick."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.views.tui.terminal.seconds import Seconds


class Timer:
    def __init__(self, when: float, call: Callable[..., object], *rest: object) -> None:
        self.when, self.call, self.rest = when, call, rest
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """A loop's time and timers, both moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[..., object], *rest: object) -> Timer:
        self.timers.append(Timer(when, call, *rest))
        return self.timers[-1]

    def run_until(self, at: float, late_s: float = 0.0) -> None:
        """Go to this moment; each timer on the way rings late."""
        while due := [one for one in self.timers if not one.cancelled and one.when + late_s <= at]:
            (timer,) = due  # there is never a second one
            self.timers = [one for one in self.timers if one is not timer and not one.cancelled]
            self.now = max(self.now, timer.when + late_s)
            timer.call(*timer.rest)
        self.now = at


@contextmanager
def hand_moved() -> Iterator[Loop]:
    loop = Loop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "get_running_loop", lambda: loop)
        yield loop


@given(st.floats(0.0, 0.999), st.floats(0.0, 0.005), st.lists(st.floats(0.0, 0.1), max_size=9))
def test_the_clock_shows_every_second(phase: float, late_s: float, latencies: list[float]) -> None:
    """Whenever the pictures of a poll every four seconds come, and timers ring late."""
    drawn: list[int] = []
    with hand_moved() as loop:
        loop.now += phase
        began = loop.now
        seconds = Seconds(loop.time, lambda: drawn.append(int(loop.now)))
        for number, latency_s in enumerate(latencies):
            loop.run_until(began + 4.0 * number + latency_s, late_s)
            drawn.append(int(loop.now))
            seconds.begin()
        loop.run_until(loop.now + 9.0, late_s)
    assert {b - a for a, b in pairwise(drawn)} <= {0, 1}


def test_a_picture_in_time_needs_no_tick() -> None:
    """Three ticks between two pictures, the second one of which comes a tenth late."""
    ticks: list[float] = []
    with hand_moved() as loop:
        loop.now = 1000.3
        seconds = Seconds(loop.time, lambda: ticks.append(loop.now))
        for picture in (1000.3, 1004.4, 1008.3):
            loop.run_until(picture)
            seconds.begin()
    assert ticks == pytest.approx([1001.45, 1002.45, 1003.45, 1005.55, 1006.55, 1007.55])


def test_seconds_slept_through_are_not_made_up_for() -> None:
    """After a laptop slept the clock goes on from now; none after the end."""
    ticks: list[float] = []
    with hand_moved() as loop:
        seconds = Seconds(loop.time, lambda: ticks.append(loop.now))
        seconds.begin()
        loop.run_until(1002.5)
        loop.now = 1059.0
        loop.run_until(1061.5)
        seconds.stop()
        loop.run_until(1099.0)
    assert ticks == pytest.approx([1001.15, 1002.15, 1059.0, 1060.0, 1061.0])
