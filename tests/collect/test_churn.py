"""Names that come and go for ever: whatever is kept by name leaves with it."""

import gc
import json
import tracemalloc
from collections.abc import Callable

import pytest

from tests.collect.pending import pending
from tests.polls import driven
from tokentop.collect.collector import Collector
from tokentop.collect.engines import MOST_GONE
from tokentop.config.schema import Config, PrometheusConfig
from tokentop.domain.economy.cost_account import MOST_GAPS
from tokentop.domain.engines.history import EngineHistory
from tokentop.domain.engines.readings import Counters, EngineReading
from tokentop.domain.events.log import EventLog
from tokentop.domain.readings import Failure
from tokentop.domain.snapshot import Snapshot
from tokentop.runtime.live.engine_poller import SEARCH_EVERY_S
from tokentop.runtime.live.smoothing import LatencySmoother
from tokentop.transport.discovery.findings import Found
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.run_protocol import steps

EACH = 20
ROUNDS = 20
KIB = 1024
SERVER = "http://127.0.0.1:9090"
OURS = "http://127.0.0.1:1000"


class Monitor:
    """A collector and what the screen keeps beside it, on a clock of the test's."""

    def __init__(self, config: Config) -> None:
        self.collector = Collector(config, "box", False)
        self._history, self._log, self._smoother = EngineHistory(), EventLog(), LatencySmoother()
        self.now = 0.0

    def round(self, step_s: float) -> Snapshot:
        """One snapshot, taken by everything that keeps something of it."""
        self.now += step_s
        snapshot = self.collector.snapshot(self.now, 1.8e9 + self.now)
        self._history.add(self.now, snapshot.engines)
        self._log.add(snapshot, self.now)
        return self._smoother.smoothed(snapshot)


def vector(turn: int) -> bytes:
    """EACH instances that were never there before, each with a counter that has begun."""
    names = ("vllm:num_requests_running", "vllm:generation_tokens_total")
    rows = [
        {
            "metric": {
                "__name__": name,
                "instance": f"n{turn}-{at}:8000",
                "model_name": f"m{turn}",
            },
            "value": [1.8e9, str(turn + at)],
        }
        for at in range(EACH)
        for name in names
    ]
    data = {"resultType": "vector", "result": rows}
    return json.dumps({"status": "success", "data": data}).encode()


def fleet(monitor: Monitor, turn: int) -> None:
    """A Prometheus server whose targets are others at every poll."""
    registry, body = monitor.collector.engines(), vector(turn)

    def fetch(requests: list[Request]) -> list[Reply]:
        return [Reply(200, body) for _ in requests]

    for due in pending(registry, monitor.now):
        registry.record(due.id, driven(steps(due.protocol, due.request), fetch), monitor.now, 0.01)


def neighbours(monitor: Monitor, turn: int) -> None:
    """Servers on this host that answer as an engine for one search, each at a port of its own."""
    registry, first = monitor.collector.engines(), 1024 + EACH * turn
    urls = [f"http://127.0.0.1:{port}" for port in range(first, first + EACH)]
    registry.update_from_discovery([Found("vllm", url) for url in urls], now=monitor.now)
    for due in pending(registry, monitor.now):
        counters = Counters(generation_tokens=turn)
        reading = EngineReading("vllm", "1", f"m{turn}", counters=counters)
        result = reading if due.request.url in urls else Failure("refused", "nobody listens")
        registry.record(due.id, result, monitor.now, 0.01)


@pytest.mark.parametrize(
    ("come", "step_s"), [(fleet, 8.0), (neighbours, SEARCH_EVERY_S)], ids=["fleet", "neighbours"]
)
def test_names_that_come_and_go_leave(come: Callable[[Monitor, int], None], step_s: float) -> None:
    """20 new engines at every look: 5 kB of each would take 2 MB more in the second half."""
    url = SERVER if come is fleet else None
    monitor = Monitor(Config(prometheus=PrometheusConfig(url)))
    held = []
    tracemalloc.start()
    try:
        for turn in range(2 * ROUNDS):
            come(monitor, turn)
            snapshot = monitor.round(step_s)
            if turn % ROUNDS == ROUNDS - 1:
                gc.collect()  # cycles wait for a full collection, whose time is chance
                held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert EACH <= len(snapshot.engines) <= 2 * EACH + MOST_GONE
    assert len(snapshot.cost.gaps) <= MOST_GAPS
    assert held[1] - held[0] < 512 * KIB


def test_a_crowd_pushes_no_engine_out() -> None:
    """The row of one that served before they came stays, gone, for its ten minutes."""
    monitor = Monitor(Config())
    registry = monitor.collector.engines()
    registry.update_from_discovery([Found("vllm", OURS)], now=0.0)
    registry.record(registry.ids()[0], EngineReading("vllm", "1", "ours"), 0.0, 0.01)
    for turn in range(15):
        neighbours(monitor, turn)
        rows = {row.url: row.state for row in monitor.round(SEARCH_EVERY_S).engines}
    assert rows[OURS] == "gone"
