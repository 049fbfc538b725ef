"""The demo's world, and the polls that lead up to a frozen moment of it, in no time."""

from itertools import count, takewhile
from time import monotonic, time

from tokentop.collect.collector import Collector, HttpSource
from tokentop.config.schema import Config, DemoConfig
from tokentop.demo.clock import demo_clock
from tokentop.demo.gpus import reader, reading
from tokentop.demo.replies import LATENCY_S, answered
from tokentop.demo.stack import HOST, State, simulate
from tokentop.demo.transport import dialler
from tokentop.domain.readings import Failure
from tokentop.runtime.oneshot.environment import Environment

MEMORY_S = 64.0  # more than the longest outage and the breaker's window: older polls leave no trace
EPOCH = 1_767_225_600.0  # a frozen moment's wall clock counts from 2026-01-01, to be repeatable


def demo_environment(demo: DemoConfig) -> Environment:
    """Return the demo's world; with `at_s` its clocks stand still there."""
    clock = demo_clock(demo.at_s)
    frozen = demo.at_s
    return Environment(
        HOST,
        clock=monotonic if frozen is None else lambda: frozen,
        wall=time if frozen is None else lambda: EPOCH + frozen,
        dial=dialler(clock, demo.seed),
        read=reader(clock, demo.seed),
    )


def fast_forward(collector: Collector, config: Config) -> None:
    """Poll at every interval before `demo.at_s`, so that ages, breakers and countdowns are right.

    The moment itself is left to the view's own refresh.
    """
    seed = config.demo.seed
    end = simulate(config.demo.at_s or 0.0, seed)
    first = max(0, int((end.t - MEMORY_S) / config.interval_s))
    times = (number * config.interval_s for number in count(first))
    states = [simulate(t, seed) for t in takewhile(lambda t: t < end.t, times)]
    cooling = bool(end.instances) and end.pressure < config.policy.capacity.scale_down_below
    past = [source for source in collector.sources if cooling or _fails(source, [*states, end])]
    for state in states:
        _poll(collector, past, state)
        if cooling:  # only then a countdown runs, and its start is found by folding each poll
            collector.record_gpus(reading(state.t, seed), state.t, LATENCY_S)
            collector.snapshot(state.t, EPOCH + state.t)


def _fails(source: HttpSource, states: list[State]) -> bool:
    """Whether its past can be seen: of those who always answer, the last poll tells all."""
    return any(isinstance(answered(source.request, state), Failure) for state in states)


def _poll(collector: Collector, sources: list[HttpSource], state: State) -> None:
    for source in sources:
        if collector.due(source.key, state.t):
            collector.record(source.key, answered(source.request, state), state.t)
