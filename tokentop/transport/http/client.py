"""Polls over one selector: every GET of every poll, on the one thread that runs the client.

A poll is a generator that yields the requests of a batch, is sent their answers in order, and
returns its result. It is resumed on the client's thread where its answers are small, and on a
worker's where they are large, one such poll at a time.
"""

import selectors
from collections.abc import Callable
from functools import partial
from time import monotonic

from tokentop.domain.readings import Failure
from tokentop.transport.http.budget import Budget
from tokentop.transport.http.connections import IdleConnections
from tokentop.transport.http.descriptors import SOCKETS, SocketBudget
from tokentop.transport.http.exchange import exchange
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.poll import Exchange, Poll
from tokentop.transport.http.posts import Posts
from tokentop.transport.http.queues import Alarms, LargeAnswers, Places
from tokentop.transport.http.resolver import Found, Resolver, look_up
from tokentop.transport.http.steps import Dial, Lookup, Net, Place, Socket, Wait
from tokentop.transport.http.worker import Worker

INLINE = 64 * 1024  # answers up to this are read on the client's own thread
EXPIRY_S = 30.0


class Client:
    """Runs polls. `submit` and `run` belong to one thread; `post` may be called on any.

    With `keep` connections are kept alive for the next poll. `dial` stands in for the network.
    """

    def __init__(
        self,
        *,
        keep: bool = False,
        dial: Dial | None = None,
        look_up: Callable[[str], Found] = look_up,
        sockets: SocketBudget = SOCKETS,
    ) -> None:
        self._net = Net(sockets, IdleConnections() if keep else None, dial)
        self._selector = selectors.DefaultSelector()
        self._posts = Posts(self._selector)
        self._resolver = Resolver(self.post, look_up)
        self._worker = Worker()
        self._polls: dict[Poll, None] = {}  # under way, the oldest first
        self._places = Places(sockets, self._net.idle)
        self._large = LargeAnswers(self._posts.soon, self._resume)
        self._alarms: Alarms[Exchange | Poll] = Alarms()
        self._holds = 0
        self._busy_s = 0.0
        self._tick_began = 0.0
        self._ticking = False
        self._expiry_at = 0.0

    def submit(self, poll: Poll) -> None:
        """Begin a poll; its `done` is called on this client's thread."""
        poll.submitted = monotonic()
        self._polls[poll] = None
        if poll.limit_s is not None:
            self._alarms.add(poll.submitted + poll.limit_s, poll)
        self._advance(poll, None)

    def cancel(self, poll: Poll) -> None:
        """Drop a poll; `done` is not called."""
        if self._polls.pop(poll, 0) is None:
            self._drop(poll)

    def post(self, call: Callable[[], None]) -> None:
        """Call it soon on the client's thread."""
        self._posts.post(call)

    @property
    def is_idle(self) -> bool:
        """Whether no poll is under way."""
        return not self._polls

    def hold(self) -> None:
        """Let `run` wait for something that will be posted, until `release`."""
        self._posts.watch()
        self._holds += 1

    def release(self) -> None:
        self._holds -= 1

    def run(self, until: float) -> None:
        """Work until every poll is done and nothing is held, at most until monotonic `until`."""
        while (self._polls or self._holds or self._posts) and monotonic() < until:
            self._tick(until)

    def end(self, until: float) -> None:
        """Close everything; what is not done by now has failed."""
        for poll in self.close():
            poll.result = poll.overdue(until, self._busy())
            poll.done(poll)

    def close(self) -> list[Poll]:
        """Close everything; returns the polls that were not done, which are dropped."""
        left = list(self._polls)
        for poll in left:
            self.cancel(poll)
        if self._net.idle is not None:
            self._net.idle.close_all()
        self._posts.close()
        self._selector.close()
        return left

    def fail(self, failure: Failure) -> None:
        """End every poll under way with this failure."""
        for poll in list(self._polls):
            poll.result = failure
            self._finish(poll)

    def tick(self, limit_s: float) -> None:
        """Wait for something to happen, at most so many seconds, and do what there is to do."""
        self._posts.watch()
        self._tick(monotonic() + limit_s)

    def _tick(self, until: float) -> None:
        events = self._selector.select(self._pause(until))
        self._tick_began, self._ticking = monotonic(), True
        for key, _ in events:
            if key.data is None:
                self._posts.woken()
            else:
                self._resume(key.data)
        self._posts.run()
        for one in self._places.grant():
            one.begin(monotonic(), self._busy())
            self._resume(one)
        self._ring()
        self._busy_s, self._ticking = self._busy(), False

    def _pause(self, until: float) -> float:
        """Seconds that nothing has to be done for."""
        if self._posts:
            return 0.0
        now = monotonic()
        if self._polls and (first := self._alarms.first) is not None:  # not of what has ended
            until = min(until, first)
        if self._places.is_wanted:
            until = min(until, now + self._places.pause_s)
        return max(0.0, until - now)

    def _advance(self, poll: Poll, replies: list[Reply | Failure] | None) -> None:
        """Resume the poll with its answers: here, or on the worker where they are large."""
        size = sum(len(r.body) for r in replies or () if isinstance(r, Reply))
        if size <= INLINE:
            self._advanced(poll, poll.send(replies))
            return
        poll.stage = "reading"
        self._posts.watch()

        def read() -> None:
            requests = poll.send(replies)
            self.post(partial(self._advanced, poll, requests))

        self._worker.run(read)

    def _advanced(self, poll: Poll, requests: list[Request] | None) -> None:
        if poll not in self._polls:
            return
        if requests is None:
            self._finish(poll)
            return
        poll.stage = "asked" if poll.began is not None else "waiting"
        poll.replies = [None] * len(requests)
        for place, request in enumerate(requests):
            steps = exchange(request, self._net, poll.budget, poll.take)
            poll.exchanges.append(Exchange(poll, place, request, steps))
        if not requests:
            self._posts.soon(partial(self._advance, poll, []))
        for one in list(poll.exchanges):
            self._resume(one)

    def _finish(self, poll: Poll) -> None:
        del self._polls[poll]
        self._drop(poll)
        poll.done(poll)

    def _drop(self, poll: Poll) -> None:
        """Let go of all it holds: its sockets, its places in queues, its permit."""
        for one in poll.exchanges:
            self._unwatch(one)
            one.finished = True
            one.steps.close()
        poll.exchanges.clear()
        poll.close()
        if poll.parent is None:
            self._large.release(poll.budget)

    def _resume(self, one: Exchange, value: object = None) -> None:
        """Go on with an exchange until it waits again."""
        if one.finished:
            return
        self._unwatch(one)
        try:
            wait = one.steps.send(value)
        except StopIteration as ended:
            self._answered(one, ended.value)
        else:
            self._wait(one, wait)

    def _expire(self, one: Exchange) -> None:
        """What it waits for takes too long."""
        self._unwatch(one)
        try:
            wait = one.steps.throw(TimeoutError())
        except StopIteration as ended:
            self._answered(one, self._late(one, ended.value))
        else:
            self._wait(one, wait)

    def _late(self, one: Exchange, outcome: Reply | Failure) -> Reply | Failure:
        """A timeout, unless its time was spent on others."""
        if not isinstance(outcome, Failure) or outcome.kind != "timeout" or one.began is None:
            return outcome
        end = one.deadline or monotonic()
        return one.poll.silence(one.request, one.began, end, self._busy() - one.busy_at)

    def _busy(self) -> float:
        """Seconds that this client has worked, the present tick included."""
        return self._busy_s + (monotonic() - self._tick_began if self._ticking else 0.0)

    def _answered(self, one: Exchange, outcome: Reply | Failure) -> None:
        one.finished = True
        poll = one.poll
        poll.exchanges.remove(one)
        now = monotonic()
        poll.answered(now)
        if isinstance(outcome, Reply):
            outcome = outcome._replace(latency_s=now - (one.began or now))
        poll.replies[one.place] = outcome
        if not poll.exchanges:
            replies = [reply for reply in poll.replies if reply is not None]
            poll.replies = []
            self._advance(poll, replies)

    def _wait(self, one: Exchange, wait: Wait) -> None:
        if isinstance(wait, Place):
            one.deadline = None
            self._places.want(one)
            return
        if one.deadline is None or one.poll.take is not None:
            one.begin(monotonic(), self._busy())
        until = one.deadline
        assert until is not None
        if isinstance(wait, Socket):
            one.sock = wait.sock
            self._selector.register(wait.sock, wait.mask, one)
            until = min(until, wait.until or until)
        elif isinstance(wait, Lookup):
            self._posts.watch()
            self._resolver.addresses(wait.host, partial(self._resume, one))
        else:
            self._large.want(one)
        one.until = until
        if one.alarm is None or until < one.alarm:
            one.alarm = until
            self._alarms.add(until, one)

    def _unwatch(self, one: Exchange) -> None:
        if one.sock is not None:
            self._selector.unregister(one.sock)
            one.sock = None

    def release_permit(self, budget: Budget) -> None:
        """The poll of this budget has ended; the large answers of another one may be read."""
        self._large.release(budget)

    def _ring(self) -> None:
        """End what has taken too long."""
        now = monotonic()
        for what in self._alarms.due(now):
            if isinstance(what, Poll):
                self._poll_alarm(what, now)
            elif not what.finished:
                what.alarm = None
                if what.until <= now:
                    self._expire(what)
                else:
                    what.alarm = what.until
                    self._alarms.add(what.until, what)
        if self._net.idle is not None and now >= self._expiry_at:
            self._expiry_at = now + EXPIRY_S
            self._net.idle.close_expired(now)

    def _poll_alarm(self, poll: Poll, now: float) -> None:
        end = poll.end
        if poll not in self._polls or end is None:
            return
        if end > now:
            self._alarms.add(end, poll)
        else:
            poll.result = poll.overdue(end, self._busy())
            self._finish(poll)
