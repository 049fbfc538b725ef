"""The frozen demo: simulated polls from 0 to S seconds, at once and in virtual time."""

from collections.abc import Callable

from tokentop.collect.collector import Collector
from tokentop.config.schema import Config
from tokentop.domain.snapshot import Snapshot


def replay(
    collector: Collector,
    until_s: float,
    config: Config,
    sample: Callable[[Snapshot, float], object],
) -> None:
    """Poll the demo every `interval_s` up to `until_s`, the last poll exactly there."""
    steps = int(until_s // config.interval_s)
    moments = [until_s - config.interval_s * (steps - i) for i in range(steps + 1)]
    for now in moments:
        _poll(collector, now, config)
        sample(collector.snapshot(now, now), now)


def _poll(collector: Collector, now: float, config: Config) -> None:
    from tokentop.demo.gpus import reading
    from tokentop.demo.replies import LATENCY_S, answered
    from tokentop.demo.stack import simulate

    state = simulate(now, config.demo.seed)
    for source in collector.sources:
        if collector.due(source.key, now):
            collector.record(source.key, answered(source.request, state), now)
    if config.gpus:
        collector.record_gpus(reading(now, config.demo.seed), now, LATENCY_S)
