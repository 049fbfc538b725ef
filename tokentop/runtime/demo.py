"""The demo: its environment, and the polls that lead up to a frozen moment of it, in no time."""

from collections.abc import Callable, Iterator
from time import monotonic, time

from tokentop.collect.collector import Collector
from tokentop.config.schema import Config, DemoConfig
from tokentop.demo.clock import demo_clock
from tokentop.demo.gpus import DemoDriver, reading
from tokentop.demo.replies import LATENCY_S, answered
from tokentop.demo.stack import HOST, simulate
from tokentop.demo.transport import dialler
from tokentop.domain.snapshot import Snapshot
from tokentop.runtime.oneshot.environment import Environment

STARTED_AT = 1_767_268_800.0  # a frozen moment's wall clock counts from 2026-01-01 12:00:00 UTC
HISTORY_S = 3600.0  # what a view shows of the past


def demo_environment(demo: DemoConfig) -> Environment:
    """The demo's environment; with `at_s` its clocks stand still there."""
    clock = demo_clock(demo.at_s)
    frozen = demo.at_s
    return Environment(
        HOST,
        clock=monotonic if frozen is None else lambda: frozen,
        wall=time if frozen is None else lambda: STARTED_AT + frozen,
        dial=dialler(clock, demo.seed),
        driver=lambda on_answer: DemoDriver(on_answer, clock, demo.seed),
    )


def fast_forward(
    collector: Collector,
    config: Config,
    on_poll: Callable[[Snapshot, float], object] | None = None,
    *,
    last: bool = True,
) -> None:
    """Poll the demo at every interval up to `demo.at_s`, in virtual time.

    Ages, breakers, countdowns and history are then as if it had run. The poll of the moment
    itself is left out without `last`, for a view that makes it.
    """
    until_s = config.demo.at_s or 0.0
    for now in _poll_times(until_s, config.interval_s):
        if now == until_s and not last:
            return
        _poll(collector, config, now)
        snapshot = collector.snapshot(now, STARTED_AT + now)
        if on_poll is not None:
            on_poll(snapshot, now)


def _poll_times(until_s: float, interval_s: float) -> Iterator[float]:
    """The seconds of at most an hour of polls, the last one exactly at `until_s`."""
    steps = int(min(until_s, HISTORY_S) // interval_s)
    return (until_s - interval_s * (steps - i) for i in range(steps + 1))


def _poll(collector: Collector, config: Config, now: float) -> None:
    state = simulate(now, config.demo.seed)
    for source in collector.sources:
        if collector.due(source.key, now):
            collector.record(source.key, answered(source.request, state), now)
    if config.gpus:
        collector.record_gpus(reading(now, config.demo.seed), now, LATENCY_S)
