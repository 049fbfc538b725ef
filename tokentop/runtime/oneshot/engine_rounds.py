"""Engines in the one-shot views, refresh by refresh: find them, ask them, keep their counters.

At the first refresh a search is waited for where nothing was found lately; later ones run beside
the polls and count from the next refresh on. Nothing of this imports an adapter before there is
an engine to ask.
"""

from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from time import monotonic

from tokentop.collect.collector import Collector
from tokentop.config.schema import Config
from tokentop.light_typing import TYPE_CHECKING
from tokentop.runtime.oneshot.discovery_cache import Discovered, discovered, forget, recent, search
from tokentop.runtime.oneshot.environment import Environment
from tokentop.threads import spawn

if TYPE_CHECKING:
    from tokentop.collect.engine import PendingPoll
    from tokentop.collect.engines import EngineRegistry
    from tokentop.transport.discovery.findings import Findings
    from tokentop.transport.http.client import Client

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
        environment: Environment = Environment(""),  # noqa: B008  (a frozen value)
    ) -> None:
        self._config = config
        self._environment = environment
        self._may_search = config.discovery.enabled and not config.demo.enabled
        self._collector = collector
        self._gpu_pids = gpu_pids
        self._searches: SimpleQueue[Discovered] = SimpleQueue()
        self._searching = False
        self._searched_at: float | None = None
        self._first = True
        self._asked: set[str] = set()
        self._search_s = search_s
        self._recent: Discovered | None = None
        self.findings: Findings | None = None

    def will_search(self) -> bool:
        """Whether `begin` will search, which the GPUs' processes help with."""
        if not self._may_search or not self._search_is_due():
            return False
        if self._searched_at is None and self._search_s is None and self._recent is None:
            self._recent = recent(self._config)
        return self._recent is None

    def begin(self, client: "Client", until: float) -> None:
        """Poll every engine known, and search where it is time to; never blocks.

        The client waits for the first search; what it finds is polled at once.
        """
        self._asked.clear()
        self._first = self._searched_at is None
        self._take()
        if self._environment.find is not None and self._search_is_due():
            self._searched_at = monotonic()
            self._adopt(discovered(self._environment.find()))
        searches = self.will_search()
        if searches or self._recent is not None:
            self._look(client, until, searches=searches)
        self._poll(client, until)

    def stop(self) -> None:
        """Let the next call search where an engine has gone."""
        if not self._may_search or not self._collector.has_engines:
            return
        if self._collector.engines().lost():
            forget()

    def _search_is_due(self) -> bool:
        if self._searching:
            return False
        return self._searched_at is None or monotonic() - self._searched_at >= AGAIN_S

    def _look(self, client: "Client", until: float, *, searches: bool) -> None:
        self._searched_at = monotonic()
        if not searches and self._recent is not None:
            self._adopt(self._recent)
            self._recent = None
            return
        found = partial(self._found, client, until)
        try:
            spawn(partial(self._search, client, found))
        except RuntimeError:  # the system has no thread left
            return
        self._searching = True
        if self._first:
            client.hold()

    def _search(self, client: "Client", found: Callable[[], None]) -> None:
        """Runs on a thread of its own."""
        try:
            self.findings = search(self._config, self._gpu_pids(), self._search_s or SEARCH_S)
            result = discovered(self.findings)
        except Exception:  # noqa: BLE001  # no memory for its modules: it costs the search alone
            result = Discovered()
        self._searches.put(result)
        client.post(found)

    def _found(self, client: "Client", until: float) -> None:
        """The first search ended in time for its own refresh."""
        if self._first and self._take():
            client.release()
            self._poll(client, until)

    def _take(self) -> bool:
        """Adopt a search's result if it is there; whether it was."""
        if not self._searching or self._searches.empty():
            return False
        self._searching = False
        self._adopt(self._searches.get())
        return True

    def _adopt(self, discovered: Discovered) -> None:
        if discovered.found or discovered.starting or self._collector.has_engines:
            self._collector.engines().update_from_discovery(
                discovered.found, discovered.starting, now=self._environment.clock()
            )

    def _poll(self, client: "Client", until: float) -> None:
        if not self._collector.has_engines:
            return
        from tokentop.runtime.oneshot.engine_polls import Polls

        registry = self._collector.engines()
        due = [poll for one in registry.ids() if (poll := self._due(registry, one)) is not None]
        Polls(registry, client, due, until, self._environment.clock)

    def _due(self, registry: "EngineRegistry", identity: str) -> "PendingPoll | None":
        """A poll of an engine that this refresh has not made yet."""
        if identity in self._asked:
            return None
        self._asked.add(identity)
        return registry.poll(identity, self._environment.clock())
