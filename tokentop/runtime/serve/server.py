"""The process behind `tokentop serve`: the collector, the server, signals and the way out."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from tokentop import fault
from tokentop.config.reload import Reloader
from tokentop.config.schema import Config
from tokentop.domain.alerts.values import Change
from tokentop.domain.past import Past, Stretch
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.verdict.values import Event
from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple
from tokentop.runtime.live.session import Session
from tokentop.runtime.serve import history
from tokentop.runtime.serve.app import Documents, Health, application
from tokentop.runtime.serve.authorize import Authority
from tokentop.runtime.serve.body import Receiving
from tokentop.runtime.serve.connection import (
    KEEP_ALIVE_S,
    MAX_CONNECTIONS,
    Connection,
)
from tokentop.runtime.serve.economy import Economy
from tokentop.runtime.serve.entries import entries_route
from tokentop.runtime.serve.guard import MAX_ASKED, Rules
from tokentop.runtime.serve.hub import Formats, Hub
from tokentop.runtime.serve.usage import UsageRoutes, closed_routes
from tokentop.transport.http.descriptors import SOCKETS
from tokentop.transport.http.listen import BACKLOG, Listener

COMMENT_EVERY_S = 15.0
MAX_MESSAGE = 64 * 1024  # of a browser: what is pasted into the screen
SWITCH_S = 0.0005  # else a thread that books may hold up an answer for 5 ms
DRAIN_S = 1  # for answers under way, at the end
CRASHED = 1


Pages = Sequence[BaseRoute]


class Service(NamedTuple):
    """What is served and how; `say` gets sentences for the log.

    `pages` are the screen in a browser. `usage` books what is received, and is given each snapshot
    with the configuration in force; None where nothing is booked.
    """

    config: Config
    formats: Formats
    documents: Documents
    rules: Rules
    say: Callable[[str], object]
    reloader: Reloader | None = None
    pages: Pages = ()
    usage: UsageRoutes | None = None


async def serve(service: Service, sockets: list[Listener]) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code, 1 where a poller failed."""
    sys.setswitchinterval(SWITCH_S)
    hub = Hub(service.formats)
    collector = _Collector(service, hub)
    app = _application(service, hub, collector.session)
    server = WebServer(uvicorn_config(app, web=bool(service.pages)), hub)
    stopped = asyncio.Event()
    code = 0

    def stop(exit_code: int) -> None:
        nonlocal code
        code = code or exit_code
        server.should_exit = True
        stopped.set()

    _on_signals(stop)
    with _places():
        await collector.start(stop)
        await server.serve(sockets)
        collector.stop()
    return code


@contextmanager
def _places() -> Iterator[None]:
    """Keep half of the descriptors for clients: the sources' budget is smaller meanwhile.

    Those that are accepted only to be refused need some too, BACKLOG at a time.
    """
    most = max(1, min(MAX_CONNECTIONS, SOCKETS.total // 2 - BACKLOG))
    before, Connection.limit = Connection.limit, most
    taken = sum(SOCKETS.take() for _ in range(most + BACKLOG))
    try:
        yield
    finally:
        Connection.limit = before
        for _ in range(taken):
            SOCKETS.give()


def _on_signals(stop: Callable[[int], None]) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop, 0)  # the way in which services are ended
    loop.add_signal_handler(signal.SIGINT, stop, 128 + signal.SIGINT)


def _application(service: Service, hub: Hub, session: Session) -> ASGIApp:
    health = Health(session.now, lambda: session.interval_s, session.frozen)
    follower, config = (lambda: session.ledger.follower), (lambda: session.config)

    async def past(stretch: Stretch) -> Past:
        return (await session.past(stretch)).moved(session.wall() - session.now())

    routes = (
        history.route(past),
        entries_route(session.ledger.page),
        *(service.usage.routes() if service.usage else closed_routes()),
        *Authority(follower, config).routes(),
        *Economy(follower, config, os.environ).routes(),
    )
    more = (*routes, *service.pages)
    receiving = frozenset(each.path for each in more if isinstance(each, Receiving))
    rules = service.rules._replace(receiving=receiving)
    return application(hub, service.documents, health, rules, service.say, more)


def uvicorn_config(app: ASGIApp, *, web: bool = False) -> uvicorn.Config:
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # a client could fill the log
    return uvicorn.Config(
        app,
        http=Connection,
        ws="websockets-sansio" if web else "none",
        ws_max_size=MAX_MESSAGE,
        interface="asgi3",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
        h11_max_incomplete_event_size=MAX_ASKED,
    )


class WebServer(uvicorn.Server):
    """uvicorn's server; streams end before it waits for connections, and signals are ours."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[Listener] | None = None) -> None:
        self._hub.close()
        await super().shutdown(sockets)


class _Collector:
    """Polls endlessly and publishes; a poller that fails ends the service."""

    def __init__(self, service: Service, hub: Hub) -> None:
        self.session = Session(service.config, self._publish, smooth=False)
        self._service = service
        self._hub = hub
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop: Callable[[int], object] = int
        self._silent: set[str] = set()  # names of alerts that wanted a terminal

    async def start(self, stop: Callable[[int], object]) -> None:
        """Publish what is known before any answer, and begin to poll."""
        self._stop = stop
        self._publish(self.session.snapshot(), self.session.now())
        await self.session.start(self._spawn, self._service.reloader, self._service.say, self._log)
        self._join_ledger()
        await self.session.keep_history()
        self.session.act_on_alerts(self._cannot_ring)
        self._spawn(self._beat(), name="comments", group="serve")
        if not self.session.frozen:
            self._spawn(self._keep_fresh(), name="ages", group="serve")

    def _cannot_ring(self, change: Change) -> None:
        """Once an alert: its bell and its notification want a screen, which may be attached."""
        name = change.alert.name
        if name not in self._silent:
            self._silent.add(name)
            self._service.say(
                f"Alert {name}: bell and notify reach only screens that are attached."
            )

    def _log(self, events: Sequence[Event]) -> None:
        for event in events:
            self._service.say(event.text)

    def stop(self) -> None:
        """Cancel everything that polls, and keep what it has polled."""
        self._stop = int
        self.session.stop()
        for task in self._tasks:
            task.cancel()
        self.session.stop()

    def _join_ledger(self) -> None:
        """Let the ledger's follower have what is booked here, and book what it raises.

        There is none until a changed file begins a ledger.
        """
        follower = self.session.ledger.follower
        if follower is None or follower.watch.books:
            return
        if self._service.usage is not None:
            self._service.usage.subscribe(follower.accounts.book)
        follower.watch.books = True

    def _publish(self, snapshot: Snapshot, now: float) -> None:
        if self._service.usage is not None:
            self._service.usage.follow(self.session.config, snapshot)
        self._hub.publish(snapshot, now)
        self._join_ledger()

    def _spawn(self, work: Coroutine[Any, Any, None], *, name: str, **_: object) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._service.say(fault.exhausted(error) or fault.sentence(error))
            self._stop(CRASHED)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(COMMENT_EVERY_S)
            self._hub.beat()

    async def _keep_fresh(self) -> None:
        """Let ages and states go on where no source answers at all."""
        while True:
            await asyncio.sleep(self.session.interval_s)
            now = self.session.now()
            if now - self._hub.published_at >= self.session.interval_s:
                self._publish(self.session.snapshot(), now)


def flush() -> None:
    """Write out what the standard streams hold."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
