"""A screen attached to a running service: what it sends, resumed, and its silence."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import time_ns

import pytest

from tests import engine_examples, examples
from tests.domain.detector.test_records import FLAG
from tests.runtime.serve.test_authorize import world
from tests.servers.behaviours import head, ok, status
from tests.servers.loopback import Behaviour, Connection, Server
from tests.servers.service import PATIENCE_S, service
from tokentop.config.load import load
from tokentop.config.reload import reloader
from tokentop.config.schema import Config, HostConfig
from tokentop.domain.alerts.values import Change
from tokentop.domain.detector.records import raised
from tokentop.domain.ledger.listing import Page, Question
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_json import dumps
from tokentop.domain.verdict.values import Alert
from tokentop.runtime.ledger import place
from tokentop.runtime.ledger.follower import Follower
from tokentop.runtime.live.feed import HostFeed
from tokentop.runtime.live.remote import RemoteSession
from tokentop.runtime.serve.economy import Economy
from tokentop.runtime.serve.entries import entries_route
from tokentop.runtime.serve.guard import Rules
from tokentop.secret import Secret
from tokentop.transport.ledger import following

TOKEN = Secret("0123456789abcdef0123456789abcdef")


class Screen:
    """Stands where the app does: keeps what it was given to show."""

    def __init__(self, url: str, token: Secret | None = None) -> None:
        self.shown: list[Snapshot] = []
        self.news = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        config = Config()
        self.feed = HostFeed(HostConfig("box", url, token), config, random=lambda: 1.0)
        self.session = RemoteSession(config, self.feed, self.show)

    def show(self, snapshot: Snapshot, _: float) -> None:
        self.shown.append(snapshot)
        self.news.set()

    def spawn(self, work: object, **_: object) -> None:
        self.tasks.append(asyncio.ensure_future(work))  # type: ignore[call-overload]

    async def until(self, found: Callable[[Snapshot], bool]) -> Snapshot:
        async with asyncio.timeout(PATIENCE_S):
            while not any(map(found, self.shown)):
                self.news.clear()
                await self.news.wait()
        return next(filter(found, self.shown))


@asynccontextmanager
async def screen(url: str, token: Secret | None = None) -> AsyncIterator[Screen]:
    made = Screen(url, token)
    await made.session.start(made.spawn)
    try:
        yield made
    finally:
        for task in made.tasks:
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)


def events(*bodies: bytes, then: Callable[[Connection], bool] = lambda _: False) -> Behaviour:
    """One stream of these events, chunk by chunk."""

    def behave(connection: Connection) -> bool:
        connection.send(head(content_type="text/event-stream", transfer_encoding="chunked"))
        for number, body in enumerate(bodies, 1):
            data = b"id: run-%d\ndata: %s\n\n" % (number, body)
            connection.send(b"%x\r\n%s\r\n" % (len(data), data))
        return then(connection)

    return behave


def hold(connection: Connection) -> bool:
    with contextlib.suppress(ConnectionAbortedError):
        connection.pause()
    return False


@pytest.mark.parametrize("made", [examples.high, engine_examples.both])
async def test_what_is_shown_is_what_the_service_has(made: Callable[[], Snapshot]) -> None:
    """Every figure of the snapshot, then of the next one; a token opens the door."""
    rules = Rules(token=TOKEN)
    with service(made(), rules) as running:
        async with screen(running.url, TOKEN) as here:
            assert await here.until(lambda s: s.host == made().host) == made()
            await asyncio.to_thread(running.publish, made()._replace(host="renamed"))
            await here.until(lambda s: s.host == "renamed")


async def test_a_stream_that_ends_is_resumed_where_it_was() -> None:
    """The second request names the last event; what is known stays until the next one."""
    first, second = dumps(examples.high()).encode(), dumps(Snapshot(host="later")).encode()
    with Server(events(first, first)) as server:
        async with screen(server.url) as here:
            await here.until(lambda s: s.host == examples.high().host)
            server.answer = events(second, then=hold)
            await here.until(lambda s: s.host == "later")
    assert [asked.headers.get("last-event-id") for asked in server.asked[:2]] == [None, "run-2"]
    assert {asked.path for asked in server.asked} == {"/api/system/token-economy/stream"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (status(401), "wants a token"),
        (status(404), "no such path"),
        (status(503), "answered 503"),
        (ok({"no": "stream"}), "does not speak HTTP"),
        (events(b'{"schema":"other/1"}', then=hold), "no `tokentop serve`"),
        (events(b'{"schema":"tokentop/2","gpus":[]}', then=hold), "it speaks tokentop/2"),
        (events(b'{"schema":"tokentop/1","gpus":[', then=hold), "no `tokentop serve`"),
    ],
)
async def test_what_is_wrong_stands_in_the_banner(answer: Behaviour, words: str) -> None:
    """Before the first snapshot, in the words of every other source."""
    with Server(answer) as server:
        async with screen(server.url) as here:
            found = await here.until(lambda s: words in s.demand.headline)
    assert found.host == "box"
    assert not found.demand.stale


async def test_a_host_that_is_gone_grows_old() -> None:
    """Its figures stay, stale, with their age, and the reason for it."""
    snapshot = examples.high()._replace(interval_s=0.05)
    with service(snapshot) as running:
        async with screen(running.url) as here:
            await here.until(lambda s: s.gpus == snapshot.gpus)
            await asyncio.to_thread(running.close)
            found = await here.until(lambda s: s.demand.stale)
            again = here.session.snapshot()
    assert found.pricing.multiplier == snapshot.pricing.multiplier
    assert {gpu.state for gpu in found.gpus} == {"stale"}
    assert snapshot.demand.headline not in found.demand.headline
    assert again.data_age_s is not None
    assert snapshot.data_age_s is not None
    assert again.data_age_s > snapshot.data_age_s


async def test_the_hosts_alerts_ring_here() -> None:
    """Those that begin while the screen is attached, by the actions of the host's rule."""
    before = examples.high()
    alert = Alert("busy", "firing", "it is busy", actions=("bell", "notify"))
    with service(before) as running:
        async with screen(running.url) as here:
            rung = asyncio.Queue[Change]()
            here.session.act_on_alerts(rung.put_nowait)
            await here.until(lambda s: s.at == before.at)
            await asyncio.to_thread(running.publish, before._replace(alerts=(alert,)))
            change = await asyncio.wait_for(rung.get(), PATIENCE_S)
    assert change.alert.text == f"{before.host}: it is busy"
    assert change.actions == ("bell", "notify")


async def test_a_project_is_stopped_on_the_host(tmp_path: Path) -> None:
    """Whatever its name is: as an entry of the host's ledger; a refusal is a sentence."""
    with world(tmp_path) as one, contextlib.closing(one.web):
        session = Screen(str(one.web.base_url)).session
        done = await session.ledger.decide("a/b c", resume=False)
        follower = Follower(lambda: one.config, {})  # another collector's
        follower.accounts.follow(time_ns() // 1000)
        figures = follower.figures(time_ns() / 1e9)
        back = await session.ledger.decide("a/b c", resume=True)
    assert done == "a/b c is stopped: gateways that ask tokentop refuse its requests from now on"
    assert figures is not None
    assert [project.name for project in figures.projects if project.stopped] == ["a/b c"]
    assert back == "a/b c may spend again"
    with service() as running:
        session = Screen(running.url).session
        assert (await session.ledger.decide("alpha", resume=False)).startswith(
            "nothing changes for alpha: "
        )


async def test_a_flag_is_classified_on_the_host(tmp_path: Path) -> None:
    """As an entry of the host's ledger, by whoever runs it there; a refusal is a sentence."""
    with world(tmp_path) as one, contextlib.closing(one.web):
        db = place.opened(one.config.ledger, {})
        writer = place.writer(db, one.config.ledger)
        writer.append([raised(FLAG)], time_ns() // 1000)
        routes = Economy(lambda: one.follower, lambda: one.config, {}).routes()
        with service(pages=routes) as running:
            ledger = Screen(running.url).session.ledger
            said = await ledger.classify(FLAG.id, "fine")
            refused = await ledger.classify("unknown", "fine")
        _, verdict = following.records(db, "flag")
        db.close()
    assert said.startswith("Classified: fine; ")
    assert verdict.outcome == "fine"
    assert refused.startswith("nothing changes: ")


async def test_its_address_follows_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other host is shown without a restart, its ledger too; several are said to need one."""

    async def page(question: Question) -> Page:
        return Page(question.wanted, total=7)

    monkeypatch.setattr("tokentop.runtime.live.remote.LOOK_S", 0.05)
    block, file = '[[host]]\nurl = "{}"\nname = "{}"\n', tmp_path / "config.toml"
    pages = [entries_route(page)]
    with service(Snapshot(host="one")) as one, service(Snapshot(host="two"), pages=pages) as two:
        file.write_text(block.format(one.url, "one"))
        config = load({}, {}, str(file))
        seen, said = Screen(one.url), asyncio.Queue[str]()
        session = RemoteSession(config, HostFeed(config.hosts[0], config), seen.show)
        again = reloader({}, {}, str(file))
        await session.start(seen.spawn, again, said.put_nowait)
        await seen.until(lambda snapshot: snapshot.host == "one")
        file.write_text(block.format(two.url, "two"))
        await seen.until(lambda snapshot: snapshot.host == "two")
        assert await said.get() == "The host was read again."
        assert (await session.ledger.page(Question())).total == 7
        file.write_text(block.format(one.url, "one") + block.format(two.url, "two"))
        assert await asyncio.wait_for(said.get(), PATIENCE_S) == (
            "There are 2 hosts now: start again to see them."
        )
        for task in seen.tasks:
            task.cancel()
        await asyncio.gather(*seen.tasks, return_exceptions=True)
