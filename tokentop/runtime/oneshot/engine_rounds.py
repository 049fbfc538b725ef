"""Engines in the one-shot views, refresh by refresh: find them, ask them, keep their counters.

At the first refresh a search is waited for where nothing was found lately; later ones run beside
the polls and count from the next refresh on. Nothing of this imports an adapter before there is
an engine to ask.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import monotonic

from tokentop.collect.collector import Collector
from tokentop.config.schema import Config
from tokentop.runtime.oneshot.discovery_cache import Discovered, discovered, forget, recent, search

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokentop.collect.engine import PendingPoll
    from tokentop.collect.engines import EngineRegistry
    from tokentop.runtime.oneshot.engine_polls import Polls
    from tokentop.transport.discovery.findings import Findings

SEARCH_S = 0.3
AGAIN_S = 30.0

GpuPids = Callable[[], tuple[int, ...]]


class EngineRounds:
    """One view's engines; `gpu_pids` may block for a moment and is called on a thread.

    With `search_s` a search of so many seconds is made even where another call's result is kept.
    `findings` are those of the latest search that was made.
    """

    def __init__(
        self,
        config: Config,
        collector: Collector,
        gpu_pids: GpuPids,
        search_s: float | None = None,
    ) -> None:
        self._config = config
        self._collector = collector
        self._gpu_pids = gpu_pids
        self._searches: SimpleQueue[Discovered] = SimpleQueue()
        self._searching = False
        self._searched_at: float | None = None
        self._first = True
        self._polls: list[Polls] = []
        self._asked: set[str] = set()
        self._search_s = search_s
        self._recent: Discovered | None = None
        self.findings: Findings | None = None

    def will_search(self) -> bool:
        """Whether `begin` will search, which the GPUs' processes help with."""
        if not self._config.discovery.enabled or not self._search_is_due():
            return False
        if self._searched_at is None and self._search_s is None and self._recent is None:
            self._recent = recent(self._config)
        return self._recent is None

    def begin(self, until: float) -> None:
        """Ask everybody known, search where it is time to; never blocks."""
        self._asked.clear()
        self._first = self._searched_at is None
        self._take(0.0)
        searches = self.will_search()
        if searches or self._recent is not None:
            self._look(searches=searches)
        self._ask(until)

    def finish(self, until: float) -> None:
        """Record every answer; blocks until the last is here or the deadline."""
        if self._first and self._take(until - monotonic()):
            self._ask(until)
        for polls in self._polls:
            polls.record()
        self._polls.clear()

    def stop(self) -> None:
        """Let the next call search where an engine has gone."""
        if self._collector.has_engines and self._collector.engines().lost():
            forget()

    def _search_is_due(self) -> bool:
        if self._searching:
            return False
        return self._searched_at is None or monotonic() - self._searched_at >= AGAIN_S

    def _look(self, *, searches: bool) -> None:
        self._searched_at = monotonic()
        if not searches and self._recent is not None:
            self._adopt(self._recent)
            self._recent = None
            return
        self._searching = True
        threading.Thread(target=self._search, daemon=True).start()

    def _search(self) -> None:
        self.findings = search(self._config, self._gpu_pids(), self._search_s or SEARCH_S)
        self._searches.put(discovered(self.findings))

    def _take(self, wait_s: float) -> bool:
        """Adopt a search's result if it is there in time; whether it was."""
        if not self._searching:
            return False
        try:
            discovered = self._searches.get(timeout=max(0.0, wait_s))
        except Empty:
            return False
        self._searching = False
        self._adopt(discovered)
        return True

    def _adopt(self, discovered: Discovered) -> None:
        if discovered.found or discovered.starting or self._collector.has_engines:
            self._collector.engines().update_from_discovery(
                discovered.found, discovered.starting, now=monotonic()
            )

    def _ask(self, until: float) -> None:
        if not self._collector.has_engines:
            return
        from tokentop.runtime.oneshot.engine_polls import Polls

        registry = self._collector.engines()
        due = [poll for one in registry.ids() if (poll := self._due(registry, one)) is not None]
        self._polls.append(Polls(registry, due, until))

    def _due(self, registry: "EngineRegistry", identity: str) -> "PendingPoll | None":
        """A poll of an engine that this refresh has not asked yet."""
        if identity in self._asked:
            return None
        self._asked.add(identity)
        return registry.poll(identity, monotonic())
