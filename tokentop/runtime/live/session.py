"""Everything behind the screen: the sources, their poller, the history, and the clock."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from tokentop import fault
from tokentop.collect.collector import Collector
from tokentop.config.schema import Config
from tokentop.domain.alerts.values import Change
from tokentop.domain.history import Sample
from tokentop.domain.past import Past, PastError, Stretch
from tokentop.domain.snapshot import Gpu, Snapshot
from tokentop.domain.verdict.values import Event
from tokentop.light_typing import TYPE_CHECKING
from tokentop.runtime.live.kept_history import KeptHistory
from tokentop.runtime.live.ledger import ledger_of
from tokentop.runtime.live.poller import Gpus, Poller
from tokentop.runtime.live.publisher import Published, Publisher
from tokentop.runtime.live.real_or_demo import demo_of, host_of, pool_of, search_of
from tokentop.runtime.live.recent import LAST_HOUR_S, Recent
from tokentop.runtime.live.smoothing import LatencySmoother
from tokentop.runtime.live.spawn import Spawn, beside, on_loop
from tokentop.runtime.state_timer import StateTimer, go_on, state_of

if TYPE_CHECKING:
    from tokentop.config.load import ConfigError
    from tokentop.config.reload import Reloader
    from tokentop.runtime.alerts import Alerting
    from tokentop.runtime.live.engine_poller import EnginePoller

STOP_S = 0.5  # for what is not yet written when the program ends


class Session(Recent):
    """Live sources, the demo's, or the demo frozen at one moment.

    `on_change` is called on the loop with a snapshot and its monotonic time, after new data.
    Latencies are smoothed for the eye where `smooth`.
    """

    polls = True  # itself

    def __init__(
        self,
        config: Config,
        on_change: Callable[[Snapshot, float], object],
        *,
        smooth: bool = True,
    ) -> None:
        self._config = config
        self._on_change = on_change
        super().__init__(config.demo.at_s if config.demo.enabled else None)
        self._smoother = LatencySmoother() if smooth else None
        self._kept = KeptHistory(config, host_of(config))
        self._alerting: Alerting | None = None  # until there is something to follow
        self.collector = Collector(config, host=host_of(config), demo=config.demo.enabled)
        self._poller = Poller(self.collector, config.interval_s, self._changed, self.now)
        self._notify: Callable[[str], object] = str
        self._announce: Callable[[Sequence[Event]], object] = len
        self._report: Callable[[str], object] = str
        self._publisher = Publisher(lambda sentence: self._report(sentence))
        self._state_timer = StateTimer()
        self._came = True  # a snapshot, since the last round began
        self._demo = demo_of(config)
        self._engine_poller: EnginePoller | None = None
        self.ledger = ledger_of(config, lambda: self.config)
        if self.frozen_at is not None:
            from tokentop.runtime.demo import STARTED_AT, fast_forward

            self._wall_began = STARTED_AT
            fast_forward(self.collector, config, self._sample)
            self.collector.ledger = self.ledger.freeze(self.frozen_at, self.wall())

    @property
    def config(self) -> Config:
        """The configuration in force, with what a changed file has replaced."""
        return self.collector.config

    @property
    def interval_s(self) -> float:
        return self._poller.interval_s

    def snapshot(self) -> Snapshot:
        """The snapshot as of now."""
        return self._smoothed(self.collector.snapshot(self.now(), self.wall()))

    def _smoothed(self, snapshot: Snapshot) -> Snapshot:
        shown = snapshot if self._smoother is None else self._smoother.smoothed(snapshot)
        return shown if self._alerting is None else self._alerting.shown(shown)

    def _alerts(self) -> "Alerting":
        if self._alerting is None:
            from tokentop.runtime.alerts import Alerting

            self._alerting = Alerting(self._config, host_of(self._config))
        return self._alerting

    @property
    def searched(self) -> tuple[int, int]:
        """The addresses that the last search for engines tried, and how many candidates it had."""
        return (0, 0) if self._engine_poller is None else self._engine_poller.searched

    @property
    def records(self) -> bool:
        """False while a recording that is wanted cannot be written."""
        return not self._publisher.failed

    def set_interval(self, interval_s: float) -> None:
        self.collector.interval_s = interval_s
        self._poller.set_interval(interval_s)

    def refresh(self) -> None:
        self._poller.refresh()

    def show_gpu_page(self, shown: bool) -> None:  # a switch
        """Ask the driver for what only the GPU page shows, while it is open."""
        from tokentop.transport.nvml.wanted import GPU_PAGE, WATCHED

        self._poller.want_of_gpus(GPU_PAGE if shown else WATCHED)

    def why_not_end(self, gpu: Gpu, pid: int, started: int | None) -> str | None:
        """Why a process on this GPU is not ended from here, in one sentence; None where it may."""
        from tokentop.transport.end_process import refusal

        if self._config.demo.enabled:
            return "the demo's processes are simulated: there is nothing to end"
        if gpu.source != "nvml" or gpu.node not in (None, host_of(self._config)):
            return f"{pid} runs on another host"
        return refusal(pid, started)

    def end_process(self, pid: int, started: int | None, *, force: bool) -> str | None:
        """Send SIGTERM, or with `force` SIGKILL; returns why that was refused, None when sent.

        `started` (ProcessDetail.started) is what tells the process from one that has its pid now.
        """
        from tokentop.transport.end_process import end

        return end(pid, started, force=force)

    def dismiss(self, identity: str) -> bool:
        """Forget an engine that is gone; whether there was one."""
        return self.collector.has_engines and self.collector.engines().dismiss(identity)

    async def start(
        self,
        spawn: Spawn,
        reloader: "Reloader | None" = None,
        notify: Callable[[str], object] = str,
        announce: Callable[[Sequence[Event]], object] = len,
    ) -> None:
        """Start polling, one worker a source; the frozen demo polls nothing.

        `reloader` reads a changed configuration file; `notify` gets a sentence about the outcome.
        `announce` gets what has changed between two snapshots, the most important event first.
        """
        self._notify, self._announce = notify, announce
        self._report = on_loop(notify)
        if self.frozen:
            return
        self._follow_ledger()
        pool = await beside(partial(pool_of, self._demo))
        if self._demo is None:
            go_on(self.collector, await beside(partial(_state_left, self._config)), self.now())
        else:
            self._begin_demo()
        self._poller.start(pool, self._gpus(), spawn)
        if reloader is not None:
            self._watch_file(reloader, spawn)
        if self._polls_engines():
            from tokentop.runtime.live.engine_poller import EnginePoller

            self._engine_poller = EnginePoller(
                self.collector, self._config, self._poller, self.now, search_of(self._demo)
            )
            self._engine_poller.start(pool, spawn)

    async def keep_history(self) -> None:
        """Keep what is polled from now on, and go on from what an earlier run has kept."""
        if self._kept.start(self._notify):
            now, wall = self.now(), self.wall()
            with suppress(PastError):  # the writer finds the same and reports it
                before = await self._kept.stored(Stretch(wall - LAST_HOUR_S, wall), now, wall)
                self.history.prepend(before.mean)

    async def past(self, stretch: Stretch) -> Past:
        """What is kept of a stretch of Unix seconds; its samples' `t` is monotonic.

        Raises PastError where it cannot be read.
        """
        return await self._kept.past(stretch, self.now(), self.wall())

    def act_on_alerts(self, ring: Callable[[Change], object] = id) -> None:
        """Carry out their actions from now on, after `start`; `ring` gets the terminal's."""
        self._alerts().begin(on_loop(self._notify), ring)

    def silence(self) -> int:
        """Take no action for an hour for the alerts that fire now; how many these are."""
        return self._alerts().silence(self.now())

    def stop(self) -> None:
        """Write what is not yet recorded, or in the history store, before the process ends."""
        if self._publisher.started:
            self._leave(state_of(self.collector))
        self._publisher.stop(STOP_S)
        self._kept.stop()
        self.ledger.stop()

    def _begin_demo(self) -> None:
        """Make the demo's polls before its beginning, so that there are rates and trends."""
        from tokentop.runtime.demo import begin

        begin(self.collector, self._config, self._sample)

    def _follow_ledger(self) -> None:
        """Follow the ledger from now on, where there is one; a changed file may begin it."""
        if self.ledger.begins and self.collector.ledger is None:
            changed = on_loop(lambda _: self._changed())
            self.collector.ledger = self.ledger.begin(lambda: changed(""))

    def _watch_file(self, reloader: "Reloader", spawn: Spawn) -> None:
        from tokentop.runtime.live.reload import ConfigReloader

        file = ConfigReloader(reloader, self.collector, self._notify)

        def take(changed: "Config | ConfigError") -> None:
            file.take(changed)
            self._follow_ledger()

        self._publisher.look = partial(file.look, on_loop(take))
        watch = self._poller.repeat(self._look)
        spawn(watch, name="watch configuration file", group="configuration", exclusive=True)

    async def _look(self) -> None:
        """In a round of which nothing came the file is looked at as well."""
        if not self._came:
            self._publisher.look_soon()
        self._came = False

    def _polls_engines(self) -> bool:
        config = self._config
        if config.engines or config.prometheus.url is not None:
            return True
        return config.discovery.enabled if self._demo is None else self._demo.world.has_engines

    def _gpus(self) -> Gpus | None:
        if not self._config.gpus:
            return None
        if self._demo is not None:
            return self._demo.driver(self._poller.gpus_answered)
        from tokentop.transport.nvml.thread import NvmlThread

        return NvmlThread(self._poller.gpus_answered)

    def _changed(self) -> None:
        now, wall = self.now(), self.wall()
        try:
            exact = self.collector.snapshot(now, wall)
            snapshot = self._smoothed(exact)
            fresh = self._sample(snapshot, now)
        except Exception as error:  # noqa: BLE001  # a fault in the fold costs one picture, not the monitor
            self._notify(f"No new picture: {fault.sentence(error)}")
            return
        self._on_change(self._alerts().shown(snapshot), now)
        if fresh:
            self._announce(fresh)
        self._came = True
        published = Published(self.config, exact, wall, self._sampled_at)
        asyncio.get_running_loop().call_soon(self._publish, published, now)  # behind the picture

    def _publish(self, published: Published, now: float) -> None:
        self._leave(self._state_timer.due(self.collector, now))
        self._publisher.offer(published)

    def _leave(self, state: dict[str, object] | None) -> None:
        """What one-shot views go on from; the demo's is nobody's."""
        if state is not None and self._demo is None:
            self._publisher.leave(self.config, state)

    def _sample(self, snapshot: Snapshot, now: float) -> tuple[Event, ...]:
        return super()._sample(self._alerts().follow(snapshot, now, self.config.alerts), now)

    def _keep_sample(self, sample: Sample) -> None:
        self._kept.add(sample, self._sampled_wall)


def _state_left(config: Config) -> dict[str, object]:
    """What the last call with the same addresses left; imported here, after the first picture."""
    from tokentop.runtime.oneshot.kept_state import recall_state

    return recall_state(config)
