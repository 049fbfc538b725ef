"""The frozen demo: simulated polls from 0 to S seconds, at once and in virtual time."""

from collections.abc import Callable

from tokentop.collect import Collector
from tokentop.config.schema import Config
from tokentop.domain.model import Snapshot
from tokentop.domain.readings import Failure
from tokentop.transport.http import Reply, Request, target_of


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
    from tokentop.demo.answers import answer
    from tokentop.demo.gpus import reading
    from tokentop.demo.stack import State, simulate

    state = simulate(now, config.demo.seed)

    def ask(request: Request, state: State = state) -> Reply | Failure:
        said = answer(target_of(request).path, state)
        if said is None:
            return Failure("refused", "nobody listens there")
        if said.status != 200:
            return Failure("http", f"answered {said.status}", status=said.status)
        return Reply(said.status, said.body, "application/json", latency_s=0.003)

    for source in collector.sources:
        if collector.due(source.key, now):
            collector.record(source.key, ask(source.request), now)
    if config.gpus:
        collector.record_gpus(reading(now, config.demo.seed), now, 0.002)
