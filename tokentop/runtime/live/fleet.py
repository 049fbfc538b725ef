"""Several hosts at once: every stream is followed, the newest object of each read every EVERY_S."""

import asyncio
import json
from collections.abc import Callable, Sequence

from tokentop.config.schema import Config
from tokentop.domain.alerts.attached import rings
from tokentop.domain.alerts.values import Change
from tokentop.domain.hosts import HostRow, host_row
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_decode import decode
from tokentop.domain.verdict.values import Event
from tokentop.light_typing import TYPE_CHECKING, Any
from tokentop.runtime.live.feed import HostFeed, Received
from tokentop.runtime.live.onlooker import Onlooker
from tokentop.runtime.live.remote import LATE, RemoteSession
from tokentop.runtime.live.spawn import Spawn
from tokentop.transport.http.network_thread import NetworkThread

if TYPE_CHECKING:
    from tokentop.config.reload import Reloader

EVERY_S = 2.0  # the table is renewed; a key redraws it at once
_OF_GPU = ("mig", "state", "vram_used_bytes", "vram_total_bytes")
_WHOLE = ("schema", "at", "host", "demo", "interval_s", "data_age_s", "alerts")
_SHOWN = {
    "health": ("state",),
    "demand": ("utilization", "tier", "headline"),
    "pricing": ("multiplier",),
    "llm": ("active", "queued"),
    "throughput": ("generation_tokens_per_s",),
    "cost": ("usd_per_hour",),
    "cloud": ("usd_per_hour",),
}


class FleetSession(Onlooker):
    """The session of the hosts' table; `open` gives the one of a host."""

    def __init__(self, config: Config, on_change: Callable[[Snapshot, float], object]) -> None:
        super().__init__(config, on_change)
        self._hosts: dict[str, _Host] = {}
        self._network: NetworkThread | None = None
        self._spawn: Spawn | None = None
        self._opened: RemoteSession | None = None
        self._take_hosts(config)

    @property
    def interval_s(self) -> float:
        """The shortest of the hosts' own."""
        known = [host.interval_s for host in self._hosts.values() if host.interval_s is not None]
        return min(known, default=self.config.interval_s)

    def rows(self) -> list[HostRow]:
        """Every host as of now."""
        now = self.now()
        return [host.row(now) for host in self._hosts.values()]

    def snapshot(self) -> Snapshot:
        """What the header shows: how many hosts, and the age of the newest data."""
        now, count = self.now(), len(self._hosts)
        ages = [host.row(now).age_s for host in self._hosts.values()]
        return Snapshot(
            host=f"{count} host{'s' * (count != 1)}",
            interval_s=self.interval_s,
            data_age_s=min((age_s for age_s in ages if age_s is not None), default=None),
        )

    def open(self, key: str) -> RemoteSession | None:
        """The session of the host with this URL, which goes on after `close`; None without one."""
        host = self._hosts.get(key)
        if host is None:
            return None
        if host.session is None:
            host.session = RemoteSession(self.config, host.feed, self._of_opened(host))
            host.session.say(self._notify, self._announce)
        host.feed.looked_at = True
        self._opened = host.session
        host.session.look()
        return host.session

    def close(self) -> None:
        """Back to the table."""
        self._opened = None

    def _rung(self, change: Change) -> None:
        self._ring(change)

    def _of_opened(self, host: "_Host") -> Callable[[Snapshot, float], None]:
        def show(snapshot: Snapshot, at: float) -> None:
            if self._opened is host.session:
                self._on_change(snapshot, at)

        return show

    async def start(
        self,
        spawn: Spawn,
        reloader: "Reloader | None" = None,
        notify: Callable[[str], object] = str,
        announce: Callable[[Sequence[Event]], object] = len,
    ) -> None:
        """Follow every host; `reloader` finds hosts that are added or taken away."""
        self.say(notify, lambda events: announce(events) if self._opened is not None else None)
        self._network, self._spawn = NetworkThread(), spawn
        for host in self._hosts.values():
            self._follow(host)
        spawn(self._renew(reloader), name="hosts", group="hosts", exclusive=True)

    def _follow(self, host: "_Host") -> None:
        if self._network is not None and self._spawn is not None:
            stream = host.feed.run(self._network, host.changed)
            self._spawn(stream, name=f"stream {host.feed.host.name}", group="streams")

    async def _renew(self, reloader: "Reloader | None") -> None:
        while True:
            for host in list(self._hosts.values()):
                if host.read():
                    await asyncio.sleep(0)  # keys and drawing come between two of them
            if self._opened is not None:
                self._opened.look()
            else:
                self._on_change(self.snapshot(), self.now())
            if reloader is not None:
                await self._reload(reloader)
            await asyncio.sleep(EVERY_S)

    async def _reload(self, reloader: "Reloader") -> None:
        changed = await self.reread(reloader)
        if changed is not None:
            self._take_hosts(changed)
            self._notify("The hosts were read again.")

    def _take_hosts(self, config: Config) -> None:
        """Follow the hosts that are new, and leave those that are gone, or have another token."""
        before, self._hosts = self._hosts, {}
        for wanted in config.hosts:
            known = before.get(wanted.url)
            if known is not None and known.feed.host == wanted:
                self._hosts[wanted.url] = before.pop(wanted.url)
            else:
                self._hosts[wanted.url] = made = _Host(HostFeed(wanted, config), self._rung)
                self._follow(made)
        for gone in before.values():
            gone.feed.stop()


class _Host:
    """One host: its stream, what is shown of the newest object, its session once opened.

    `ring` gets the alerts that a screen rings for.
    """

    def __init__(self, feed: HostFeed, ring: Callable[[Change], object]) -> None:
        self.feed = feed
        self._ring = ring
        feed.looked_at = False  # the table looks every EVERY_S
        self.session: RemoteSession | None = None
        self._read: Received | None = None
        self._row = HostRow(feed.host.url, feed.host.name)
        self._found: Snapshot | None = None

    @property
    def interval_s(self) -> float | None:
        """At which it polls; None before it was heard."""
        return None if self._found is None else self._found.interval_s

    def changed(self) -> None:
        """Something came; whoever looks at this host sees it at once, the table within EVERY_S."""
        if self.session is not None:
            self.session.look()

    def read(self) -> bool:
        """Read what has come since the last time; whether there was something."""
        received = self.feed.newest
        if received is None or received is self._read:
            return False
        self._read = received
        found = decode(_trimmed(received.data))
        if found is not None:
            for change in rings(self._found or Snapshot(), found):
                self._ring(change)
            self._found = found
            self._row = host_row(self._row.key, self._name(found), found)
        return True

    def _name(self, found: Snapshot) -> str:
        """Its configured name; one that is only its address follows its own."""
        name, url, _ = self.feed.host
        return f"{found.host} {name}".strip() if url.endswith(f"//{name}") else name

    def row(self, now: float) -> HostRow:
        """Its row as of now."""
        passed_s = 0.0 if self._read is None else now - self._read.at
        age_s = None if self._row.age_s is None else self._row.age_s + passed_s
        return self._row._replace(problem=self._problem(passed_s), age_s=age_s)

    def _problem(self, passed_s: float) -> str | None:
        failure, interval_s = self.feed.failure, self.interval_s or 0.0
        if failure is not None and (self._read is None or passed_s > interval_s):
            return failure.text
        if self._read is None:
            return "asking"
        return "it has sent nothing new" if passed_s > LATE * interval_s else None


def _trimmed(data: bytes) -> Any:
    """The part of the object that a row is made of: to read all of a large one takes 2 ms."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    gpus = value.get("gpus")
    kept = {name: value[name] for name in _WHOLE if name in value}
    kept |= {name: _picked(value.get(name), wanted) for name, wanted in _SHOWN.items()}
    return kept | {
        "gpus": [_picked(gpu, _OF_GPU) for gpu in gpus] if isinstance(gpus, list) else None
    }


def _picked(value: object, wanted: tuple[str, ...]) -> dict[str, object]:
    return {n: value[n] for n in wanted if n in value} if isinstance(value, dict) else {}
