"""The screen's session where another machine's `tokentop serve` polls, and this one only looks."""

import asyncio
from collections.abc import Callable, Sequence
from urllib.parse import quote

from tokentop.config.schema import Config
from tokentop.domain.aging import aged, silent
from tokentop.domain.alerts.attached import rings
from tokentop.domain.budgets.decision import Outcome
from tokentop.domain.ledger.listing import Page, Question
from tokentop.domain.past import Past, PastError, Stretch
from tokentop.domain.readings import Failure
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_ledger import Classification
from tokentop.domain.verdict.values import Event
from tokentop.light_typing import TYPE_CHECKING
from tokentop.runtime.live.feed import HostFeed, Received
from tokentop.runtime.live.ledger import NoLedger, classified
from tokentop.runtime.live.onlooker import Onlooker
from tokentop.runtime.live.spawn import Spawn
from tokentop.sources import ledger_page
from tokentop.sources.collector import snapshot as read_snapshot
from tokentop.sources.collector_past import HISTORY
from tokentop.sources.collector_past import loads as read_past
from tokentop.sources.json_fields import BadData, Fields, load, mapping
from tokentop.transport.http.network_thread import NetworkThread

if TYPE_CHECKING:
    from tokentop.config.reload import Reloader

LATE = 3  # intervals without a new snapshot after which what is known is stale
LOOK_S = 1.0
NOT_THERE = 404


class RemoteLedger(NoLedger):
    """The ledger of the host that is followed, which lists it."""

    def __init__(self, feed: Callable[[], HostFeed]) -> None:
        super().__init__()
        self._feed = feed

    async def page(self, question: Question) -> Page:
        reply = await self._feed().get(ledger_page.address(question))
        if isinstance(reply, Failure):
            return Page(question.wanted, problem=reply.text)
        try:
            return ledger_page.read(reply.body, question.wanted)
        except BadData as problem:
            return Page(question.wanted, problem=str(problem))

    async def decide(self, project: str, *, resume: bool) -> str:
        """Let the host do so; how that went."""
        from tokentop.runtime.ledger.deciding import done

        outcome: Outcome = "resume" if resume else "stop"
        reply = await self._feed().post(f"/v1/projects/{quote(project, safe='')}/{outcome}")
        if isinstance(reply, Failure):
            return f"nothing changes for {project}: {reply.text}"
        return done(project, outcome)

    async def classify(self, flag: str, verdict: Classification) -> str:
        """Let the host book it; how that went."""
        reply = await self._feed().post(f"/v1/flags/{quote(flag, safe='')}/{verdict}")
        if isinstance(reply, Failure):
            return f"nothing changes: {reply.text}"
        try:
            left = Fields(mapping(load(reply.body))).count("to_classify")
        except BadData as problem:
            return str(problem)
        return classified(verdict, left or 0)


class RemoteSession(Onlooker):
    """One host's snapshots as they come; all of them grow old while it is silent."""

    def __init__(
        self, config: Config, feed: HostFeed, on_change: Callable[[Snapshot, float], object]
    ) -> None:
        super().__init__(config, on_change)
        self._feed = feed
        self.ledger = RemoteLedger(lambda: self._feed)  # which a changed file replaces
        self._read: Received | None = None
        self._newest = Snapshot(host=feed.host.name, interval_s=config.interval_s)
        self._problem: str | None = None
        self._shown_problem: str | None = None

    @property
    def interval_s(self) -> float:
        return self._newest.interval_s

    def snapshot(self) -> Snapshot:
        """The newest snapshot as of now."""
        passed_s = self._passed_s()
        found = aged(self._newest, passed_s)
        why = self._silence(passed_s)
        return found if why is None else silent(found, why)

    async def start(
        self,
        spawn: Spawn,
        reloader: "Reloader | None" = None,
        notify: Callable[[str], object] = str,
        announce: Callable[[Sequence[Event]], object] = len,
    ) -> None:
        """Follow the host, and its address in a changed file; the arguments are as a Session's."""
        self.say(notify, announce)
        network = NetworkThread()
        spawn(self._feed.run(network, self.look), name="stream", group="stream")
        self.watch(spawn)
        if reloader is not None:
            follow = self._follow_file(reloader, network, spawn)
            spawn(follow, name="watch configuration file", group="configuration", exclusive=True)

    async def _follow_file(
        self, reloader: "Reloader", network: NetworkThread, spawn: Spawn
    ) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            changed = await self.reread(reloader)
            if changed is None or changed.hosts == self.config.hosts:
                continue
            if len(changed.hosts) != 1:
                self._notify(f"There are {len(changed.hosts)} hosts now: start again to see them.")
                continue
            self._feed.stop()
            self.config, self._feed = changed, HostFeed(changed.hosts[0], changed)
            self._read, self._problem = None, None
            self._newest = Snapshot(host=self._feed.host.name, interval_s=changed.interval_s)
            spawn(self._feed.run(network, self.look), name="stream", group="stream")
            self._notify("The host was read again.")

    async def past(self, stretch: Stretch) -> Past:
        """What the host has kept of a stretch; nothing where it is of an older version.

        Raises PastError where it cannot be read.
        """
        reply = await self._feed.get(f"{HISTORY}?start={stretch.start:.3f}&end={stretch.end:.3f}")
        if isinstance(reply, Failure):
            if reply.status == NOT_THERE:
                return Past()
            raise PastError(_unreadable(self._feed.host.name, reply.text))
        try:
            return read_past(reply.body).moved(self.now() - self.wall())
        except BadData as problem:
            raise PastError(_unreadable(self._feed.host.name, str(problem))) from None

    def watch(self, spawn: Spawn) -> None:
        """Notice from now on when the host falls silent, though nothing comes any more."""
        spawn(self._watch(), name="silence", group="silence", exclusive=True)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def look(self) -> None:
        """Show what has come since the last look, or that nothing does."""
        received = self._feed.newest
        if received is not None and received is not self._read:
            self._take(received)
        problem = self._silence(self._passed_s())
        if problem != self._shown_problem:
            self._shown_problem = problem
            self._on_change(self.snapshot(), self.now())

    def _take(self, received: Received) -> None:
        self._read = received
        before = self._newest
        try:
            self._newest = read_snapshot(received.data)
        except BadData as problem:
            self._problem = str(problem)
            return
        self._problem = self._shown_problem = None
        for change in rings(before, self._newest):
            self._ring(change)
        fresh = self._sample(self._newest, received.at)
        self._on_change(self._newest, received.at)
        if fresh:
            self._announce(fresh)

    def _passed_s(self) -> float:
        """Seconds since the newest snapshot came."""
        return 0.0 if self._read is None else max(0.0, self.now() - self._read.at)

    def _silence(self, passed_s: float) -> str | None:
        """Why what is shown is not what is there now; None where it is."""
        if self._problem is not None:
            return self._problem
        failure = self._feed.failure
        if failure is not None and (self._read is None or passed_s > self.interval_s):
            return failure.text
        if passed_s > LATE * self.interval_s:
            return f"{self._feed.host.name} has sent nothing new"
        return None


def _unreadable(host: str, why: str) -> str:
    return f"The past of {host} cannot be read: {why}."
