"""Everything behind the screen: the sources, their poller, the history, and the clock."""

import asyncio
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tokentop import fault
from tokentop.collect.collector import Collector
from tokentop.config.schema import Config
from tokentop.domain.engines.history import EngineHistory
from tokentop.domain.history import History, Sample, sample_of
from tokentop.domain.snapshot import Snapshot
from tokentop.runtime.live.poller import Gpus, Poller
from tokentop.runtime.live.smoothing import LatencySmoother
from tokentop.runtime.live.spawn import Spawn

if TYPE_CHECKING:
    from tokentop.config.reload import Reloader
    from tokentop.transport.http.client_async import Pool


class Session:
    """Live sources, the demo's, or the demo frozen at one moment.

    `on_change` is called on the loop with a snapshot and its monotonic time, after new data.
    """

    def __init__(self, config: Config, on_change: Callable[[Snapshot, float], object]) -> None:
        self._config = config
        self._on_change = on_change
        self.frozen_at = config.demo.at_s if config.demo.enabled else None
        self.history = History()
        self.engine_history = EngineHistory()
        self._smoother = LatencySmoother()
        self._sampled_at = float("-inf")
        self.collector = Collector(config, host=_host(config), demo=config.demo.enabled)
        self._poller = Poller(self.collector, config.interval_s, self._changed, self.now)
        self._notify: Callable[[str], object] = str
        self._wall_began = 0.0
        if self.frozen_at is not None:
            from tokentop.runtime.demo import STARTED_AT, fast_forward

            self._wall_began = STARTED_AT
            fast_forward(self.collector, config, self._sample)

    @property
    def frozen(self) -> bool:
        """Whether the demo is frozen: nothing will change."""
        return self.frozen_at is not None

    @property
    def config(self) -> Config:
        """The configuration in force, with what a changed file has replaced."""
        return self.collector.config

    @property
    def interval_s(self) -> float:
        return self._poller.interval_s

    def now(self) -> float:
        """Monotonic seconds; the frozen demo's moment where it is frozen."""
        return time.monotonic() if self.frozen_at is None else self.frozen_at

    def wall(self) -> float:
        """Unix seconds for display."""
        return time.time() if self.frozen_at is None else self._wall_began + self.frozen_at

    def local_time(self) -> time.struct_time:
        """Local time for display; the frozen demo's is the same in every time zone."""
        return time.gmtime(self.wall()) if self.frozen else time.localtime(self.wall())

    def snapshot(self) -> Snapshot:
        """The snapshot as of now."""
        return self._fold(self.now())

    def _fold(self, now: float) -> Snapshot:
        return self._smoother.smoothed(self.collector.snapshot(now, self.wall()))

    def samples(self) -> tuple[Sample, ...]:
        """The last hour, oldest first."""
        return self.history.window(self.now(), 3600.0)

    def set_interval(self, interval_s: float) -> None:
        self.collector.interval_s = interval_s
        self._poller.set_interval(interval_s)

    def refresh(self) -> None:
        self._poller.refresh()

    def dismiss(self, identity: str) -> bool:
        """Forget an engine that is gone; whether there was one."""
        return self.collector.has_engines and self.collector.engines().dismiss(identity)

    async def start(
        self,
        spawn: Spawn,
        reloader: "Reloader | None" = None,
        notify: Callable[[str], object] = str,
    ) -> None:
        """Start polling, one worker a source; the frozen demo polls nothing.

        `reloader` reads a changed configuration file; `notify` gets a sentence about the outcome.
        """
        self._notify = notify
        if self.frozen:
            return
        pool = await self._load_pool()
        self._poller.start(pool, self._gpus(), spawn)
        if reloader is not None:
            self._watch_file(reloader, spawn)
        if self._polls_engines():
            from tokentop.runtime.live.engine_poller import EnginePoller

            EnginePoller(self.collector, self._config, self._poller, self.now).start(pool, spawn)

    async def _load_pool(self) -> "Pool":
        """The pooled client, loaded beside the loop; on it where no thread can be started."""
        try:
            return await asyncio.to_thread(_pool, self._config, self.now)
        except RuntimeError:
            return _pool(self._config, self.now)

    def _watch_file(self, reloader: "Reloader", spawn: Spawn) -> None:
        from tokentop.runtime.live.reload import ConfigReloader

        watch = self._poller.repeat(ConfigReloader(reloader, self.collector, self._notify).look)
        spawn(watch, name="watch configuration file", group="configuration", exclusive=True)

    def _polls_engines(self) -> bool:
        config = self._config
        named = bool(config.engines) or config.prometheus.url is not None
        return not config.demo.enabled and (config.discovery.enabled or named)

    def _gpus(self) -> Gpus | None:
        if not self._config.gpus:
            return None
        if not self._config.demo.enabled:
            from tokentop.transport.nvml import NvmlThread

            return NvmlThread(self._poller.gpus_answered)
        from tokentop.demo.gpus import DemoDriver

        began = self.now()
        return DemoDriver(
            self._poller.gpus_answered, lambda: self.now() - began, self._config.demo.seed
        )

    def _changed(self) -> None:
        now = self.now()
        try:
            snapshot = self._fold(now)
            self._sample(snapshot, now)
        except Exception as error:  # noqa: BLE001  # a fault in the fold costs one picture, not the monitor
            self._notify(f"No new picture: {fault.sentence(error)}")
            return
        self._on_change(snapshot, now)

    def _sample(self, snapshot: Snapshot, now: float) -> None:
        """Keep one sample a round: answers that come in later replace the round's sample."""
        if now - self._sampled_at >= 0.6 * self.interval_s:
            self._sampled_at = now
        self.history.add(sample_of(snapshot, self._sampled_at))
        if snapshot.engines:
            self.engine_history.add(self._sampled_at, snapshot.engines)


def _host(config: Config) -> str:
    if config.demo.enabled:
        from tokentop.demo.stack import HOST

        return HOST
    return os.uname().nodename


def _pool(config: Config, clock: Callable[[], float]) -> "Pool":
    """The client with its thread; imported here, on a worker thread, after the first paint."""
    from tokentop.transport.http.client_async import Pool

    if not config.demo.enabled:
        return Pool()
    from tokentop.demo.transport import dialler

    began = clock()
    return Pool(dialler(lambda: clock() - began, config.demo.seed))
