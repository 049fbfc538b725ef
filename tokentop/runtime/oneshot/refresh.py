"""Poll every source at once, with one deadline, and fold what came: the text views' one refresh."""

from functools import partial
from os import environ, uname
from time import monotonic

from tokentop.collect.collector import Collector, HttpSource, ServiceResult, service_poll
from tokentop.config.schema import Config, has_ledger
from tokentop.domain.readings import Failure, GpusReading
from tokentop.domain.snapshot import Snapshot
from tokentop.light_typing import TYPE_CHECKING
from tokentop.named_tuple import NamedTuple
from tokentop.runtime.oneshot.environment import Environment, GpusAnswer
from tokentop.runtime.oneshot.gpus import Gpus
from tokentop.runtime.oneshot.kept_state import keep_state, recall_state, without_refusals
from tokentop.transport.http.client import Client
from tokentop.transport.http.poll import Poll
from tokentop.transport.http.tls import load_beforehand
from tokentop.transport.nvml.wanted import EVERYTHING, Wanted

if TYPE_CHECKING:
    from tokentop.runtime.ledger.follower import Follower
    from tokentop.runtime.oneshot.engine_rounds import EngineRounds
    from tokentop.transport.discovery.findings import Findings

MARGIN_S = 0.1  # kept for folding, printing and leaving
GPU_PIDS_S = 0.5  # engines' command lines are found without them as well


class RefreshResult(NamedTuple):
    """What one refresh heard, for those who want to know more than the snapshot says."""

    answers: tuple[tuple[HttpSource, ServiceResult], ...] = ()
    gpus: GpusAnswer | None = None
    gpus_latency_s: float | None = None


class Refresher:
    """One collector with its transports; `last` is what the latest refresh heard.

    `wanted` is what is shown of the GPUs. With `search_s` engines are searched for anew, for so
    many seconds.
    """

    def __init__(
        self, config: Config, search_s: float | None = None, wanted: Wanted = EVERYTHING
    ) -> None:
        if config.demo.enabled:
            from tokentop.runtime.demo import demo_environment

            self._environment = demo_environment(config)
        else:
            self._environment = Environment(uname().nodename)
        self._collector = Collector(config, self._environment.host, config.demo.enabled)
        self._wanted = wanted
        self._gpus = Gpus(self._environment) if config.gpus else None
        load_beforehand(_urls(config))
        self._engines = self._engine_rounds(config, search_s)
        self._follower = self._follow() if has_ledger(config) else None
        self.last = RefreshResult()
        self._again = False
        self._keeps = not config.demo.enabled
        self._left = recall_state(config) if self._keeps else {}
        if self._left:
            known = self._left if search_s is None else without_refusals(self._left)
            self._collector.restore(known, monotonic())
        if config.demo.enabled:
            self._rehearse(config)

    def _rehearse(self, config: Config) -> None:
        """Make the demo's polls before its moment, or the one before its beginning."""
        from tokentop.runtime.demo import fast_forward, poll_before

        if config.demo.at_s is None:
            poll_before(self._collector, config)
        else:
            fast_forward(self._collector, config, last=False)

    def refresh(self, deadline: float) -> Snapshot:
        """Return the snapshot by `deadline` (monotonic); what is late counts as a timeout."""
        until = deadline - MARGIN_S
        environment, collector = self._environment, self._collector
        self.last = RefreshResult()
        client = Client(dial=environment.dial)
        if self._gpus is not None:
            self._gpus.poll(self._wanted_now())
        if self._engines is not None:
            self._engines.begin(client, until)
        for source in collector.sources:
            if collector.due(source.key, environment.clock()):
                self._submit(client, source, until)
        client.run(until)
        client.end(until)
        if self._gpus is not None:
            self._take_gpus(self._gpus, until)
        if self._follower is not None:
            self._follower.wait(until - monotonic())
        self._again = True
        return collector.snapshot(environment.clock(), environment.wall())

    def _follow(self) -> "Follower":
        from tokentop.runtime.ledger.follower import Follower

        follower = Follower(lambda: self._collector.config, environ, learns=False)
        follower.start()
        self._collector.ledger = follower.figures
        return follower

    def _submit(self, client: Client, source: HttpSource, until: float) -> None:
        done = partial(self._answered, source)
        client.submit(Poll(service_poll(source), source.request, done, until=until))

    def _answered(self, source: HttpSource, poll: Poll) -> None:
        result = poll.result
        if isinstance(result, Failure):
            result = ServiceResult(result)
        self._collector.record(source.key, result, self._environment.clock())
        self.last = self.last._replace(answers=(*self.last.answers, (source, result)))

    @property
    def findings(self) -> "Findings | None":
        """What the latest search found; None where none was made, or it has not ended."""
        return None if self._engines is None else self._engines.findings

    def _engine_rounds(self, config: Config, search_s: float | None) -> "EngineRounds | None":
        """None where no engine can be; the demo has its own."""
        searches = config.discovery.enabled and not config.demo.enabled
        named = config.engines or config.prometheus.url is not None
        if not (searches or named or self._environment.find):
            return None
        from tokentop.runtime.oneshot.engine_rounds import EngineRounds

        return EngineRounds(config, self._collector, self._gpu_pids, search_s, self._environment)

    def _gpu_pids(self) -> tuple[int, ...]:
        """The processes on this host's GPUs, which lead to engines; blocks for a moment."""
        answer = self._gpus.look(GPU_PIDS_S) if self._gpus is not None else None
        reading = answer.result if answer is not None else None
        devices = reading.devices if isinstance(reading, GpusReading) else ()
        held = (process.pid for device in devices for process in device.processes or ())
        return tuple(dict.fromkeys(held))

    def _take_gpus(self, gpus: Gpus, until: float) -> None:
        answer = gpus.take(until - monotonic())
        if answer is None:
            return  # a slow driver is still at it: what is known grows old until then
        now = self._environment.clock()
        self._collector.record_gpus(answer.result, now, answer.latency_s)
        self.last = self.last._replace(gpus=answer.result, gpus_latency_s=answer.latency_s)

    def _wanted_now(self) -> Wanted:
        """Processes lead a search to engines, and a GPU that is lost to its engine."""
        search = self._engines is not None and self._engines.will_search()
        watched = self._again and self._collector.has_engines
        return self._wanted._replace(pids=search or watched)

    @property
    def config(self) -> Config:
        """The configuration in force, with what a changed file has replaced."""
        return self._collector.config

    def apply_policy(self, config: Config) -> bool:
        """Take over the prices and thresholds of a changed file; whether that was all of it."""
        return self._collector.apply_policy(config)

    def stop(self) -> None:
        """Ask nothing more, and leave for the next call what it needs; waits for nobody."""
        state = self._collector.dump() if self._keeps else {}
        if self._left or any(state.values()):
            keep_state(self._collector.config, state)
        if self._follower is not None:
            self._follower.stop()
        if self._gpus is not None:
            self._gpus.stop()
        if self._engines is not None:
            self._engines.stop()


def _urls(config: Config) -> list[str | None]:
    """Of all that the user named; at the default addresses mostly nothing listens."""
    services = [one.url for one in config.services if one.configured]
    return [*services, *(one.url for one in config.engines), config.prometheus.url]
