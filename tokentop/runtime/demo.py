"""The demo: its environment, and the polls that lead up to a moment of it, in no time."""

from collections.abc import Callable, Iterator
from time import monotonic, time

from tokentop.collect.collector import Collector, service_poll
from tokentop.config.schema import Config
from tokentop.demo.clock import demo_clock
from tokentop.demo.gpus import DemoDriver
from tokentop.demo.replies import LATENCY_S, polled
from tokentop.demo.transport import dialler
from tokentop.demo.world import HOST, World, world_of
from tokentop.domain.snapshot import Snapshot
from tokentop.light_typing import TYPE_CHECKING
from tokentop.named_tuple import NamedTuple
from tokentop.runtime.oneshot.environment import Environment
from tokentop.transport.http.client_blocking import Dial
from tokentop.transport.nvml.answer import Answer
from tokentop.transport.run_protocol import steps

if TYPE_CHECKING:
    from tokentop.transport.discovery.findings import Findings

STARTED_AT = 1_767_268_800.0  # a frozen moment's wall clock counts from 2026-01-01 12:00:00 UTC
SEARCH_EVERY_S = 30.0

OnPoll = Callable[[Snapshot, float], object]


class Demo(NamedTuple):
    """What stands in for this machine and its network; `clock` is the demo's time."""

    world: World
    clock: Callable[[], float]

    @property
    def dial(self) -> Dial:
        """Gives the connections to everything that is simulated."""
        return dialler(self.world, self.clock)

    def driver(self, on_answer: Callable[[Answer], None]) -> DemoDriver:
        """In place of the NVIDIA driver's thread."""
        return DemoDriver(on_answer, self.world, self.clock)

    def find(self) -> "Findings":
        """In place of a search for engines."""
        return self.world.found(self.clock())


def demo_of(config: Config) -> Demo:
    """The demo of a configuration; with `at_s` its clock stands still there."""
    return Demo(world_of(config), demo_clock(config.demo.at_s))


def demo_environment(config: Config) -> Environment:
    """The environment of a text view; with `at_s` all its clocks stand still there."""
    demo, frozen = demo_of(config), config.demo.at_s
    return Environment(
        HOST,
        clock=monotonic if frozen is None else lambda: frozen,
        wall=time if frozen is None else lambda: STARTED_AT + frozen,
        dial=demo.dial,
        driver=demo.driver,
        find=demo.find if demo.world.has_engines else None,
    )


def fast_forward(
    collector: Collector, config: Config, on_poll: OnPoll | None = None, *, last: bool = True
) -> None:
    """Poll the demo at every interval up to the frozen `demo.at_s`, in virtual time.

    Ages, breakers, countdowns and history are then as if it had run. The poll of the moment
    itself is left out without `last`, for a view that makes it.
    """
    at_s = config.demo.at_s or 0.0
    world, interval_s = world_of(config), config.interval_s
    polls = int(min(at_s + world.before_s, world.history_s) // interval_s)
    rehearsal = _Rehearsal(collector, world, gpus=config.gpus)
    for back_s in _before(polls, interval_s, last=last):
        rehearsal.poll(at_s - back_s, now=at_s - back_s)
        snapshot = collector.snapshot(at_s - back_s, STARTED_AT + at_s - back_s)
        if on_poll is not None:
            on_poll(snapshot, at_s - back_s)


def begin(collector: Collector, config: Config, on_poll: OnPoll) -> None:
    """Poll a demo that begins now at every interval before, in virtual time.

    A screen then has rates and trends from the start.
    """
    world = world_of(config)
    rehearsal = _Rehearsal(collector, world, gpus=config.gpus)
    now, wall = monotonic(), time()
    for back_s in _before(int(world.before_s // config.interval_s), config.interval_s, last=False):
        rehearsal.poll(-back_s, now=now - back_s)
        on_poll(collector.snapshot(now - back_s, wall - back_s), now - back_s)


def poll_before(collector: Collector, config: Config) -> None:
    """Poll the engines of a demo that begins now one interval before: no more than rates need."""
    world = world_of(config)
    if world.before_s:
        now = monotonic() - config.interval_s
        _Rehearsal(collector, world, gpus=config.gpus).poll_engines(-config.interval_s, now=now)
        collector.snapshot(now, time() - config.interval_s)


def _before(polls: int, interval_s: float, *, last: bool) -> Iterator[float]:
    """Seconds before the end of each of so many intervals, and the end itself."""
    return (interval_s * place for place in range(polls, -1 if last else 0, -1))


class _Rehearsal:
    """Polls of the past: everything that is due is answered without a socket."""

    def __init__(self, collector: Collector, world: World, *, gpus: bool) -> None:
        self._collector = collector
        self._world = world
        self._gpus = gpus
        self._search_at = float("-inf")

    def poll(self, t: float, *, now: float) -> None:
        """Poll everything as of the demo's second `t`; `now` is the same moment elsewhere."""
        collector, world = self._collector, self._world
        for source in collector.sources:
            if collector.due(source.key, now):
                result = polled(service_poll(source), world, t)
                collector.record(source.key, result, now)
        self.poll_engines(t, now=now)

    def _search(self, t: float, now: float) -> None:
        if self._world.has_engines and now >= self._search_at:
            self._search_at = now + SEARCH_EVERY_S
            found = self._world.found(t).found
            self._collector.engines().update_from_discovery(found, now=now)

    def poll_engines(self, t: float, *, now: float) -> None:
        """Poll the GPUs and the engines, whose counters, and costs, need a reading before."""
        if self._gpus:
            self._collector.record_gpus(self._world.gpus(t), now, LATENCY_S)
        self._search(t, now)
        if not self._collector.has_engines:
            return
        registry = self._collector.engines()
        for identity in registry.ids():
            if (due := registry.poll(identity, now)) is not None:
                result = polled(steps(due.protocol, due.request), self._world, t)
                registry.record(identity, result, now, LATENCY_S)
