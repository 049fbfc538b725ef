"""A batch of reports held against the requests that were booked: what is new, what was better."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import UsageEvent
from tokentop.domain.ledger.reports import (
    GUESSED,
    SUMS,
    have_met,
    is_same,
    keys,
    merged,
    session_key,
)
from tokentop.named_tuple import NamedTuple

ONE_BY_ONE = ""  # in place of an identity: the session's requests are reported one by one


class Link(NamedTuple):
    """That reports with `key` are of the entry called `identity`, or ONE_BY_ONE."""

    key: str
    identity: str
    feed: str
    at_us: int


class Request:
    """A request while a batch is booked: what is known of it, and its entry where it has one.

    A `final` one takes reports and is not corrected: a person reversed its entry.
    """

    def __init__(
        self, event: UsageEvent, feeds: Iterable[str], entry: Entry | None = None,
        *, final: bool = False,
    ) -> None:  # fmt: skip
        self.event, self.entry, self.final = event, entry, final
        self.feeds = set(feeds)
        self.reports: list[UsageEvent] = []
        self.is_better = self.is_cancelled = False
        self.parts: list[Request] = []  # that were booked apart

    def accept(self, report: UsageEvent) -> None:
        """Count a report that adds nothing, like the first one."""
        self.feeds.add(report.feed)
        self.reports.append(report)

    def add(self, report: UsageEvent) -> None:
        """Take one more report of it."""
        self.accept(report)
        after = merged(self.event, report)
        if after is not self.event and not self.final:
            self.event, self.is_better = after, True

    def absorb(self, other: "Request") -> None:
        """Take a request that was booked apart, until a report showed that both are one."""
        self.feeds |= other.feeds
        self.reports += other.reports
        after = merged(self.event, other.event)
        if after is not self.event and not self.final:
            self.event, self.is_better = after, True
        other.reports, other.is_cancelled = [], True
        self.parts.append(other)

    @property
    def is_new(self) -> bool:
        return self.entry is None and not self.is_cancelled

    @property
    def is_reversed(self) -> bool:
        """Whether its entry has to be reversed."""
        changed = self.is_better or self.is_cancelled
        return self.entry is not None and changed and not self.final

    @property
    def is_corrected(self) -> bool:
        """Whether it has to be booked once more."""
        return self.is_reversed and not self.is_cancelled

    @property
    def is_paired(self) -> bool:
        """Whether a client's and a gateway's report have met: those that are alike have others."""
        return have_met(self.feeds)

    def links(self, identity: str) -> Iterator[Link]:
        """How later reports find it; `identity` is that of its entry."""
        for report in self.reports:
            for key in keys(report):
                if not (self.is_paired and key.startswith(GUESSED)):
                    yield Link(key, identity, report.feed, report.at_us)
            session = session_key(report)
            if session is not None:
                standing = identity if report.feed.endswith(SUMS) else ONE_BY_ONE
                yield Link(session, standing, report.feed, report.at_us)


class Matcher:
    """The requests that a batch may be about. `known` are identities that the ledger has."""

    def __init__(self, known: Collection[str]) -> None:
        self.requests: dict[Request, None] = {}  # in their order
        self._known = known
        self._by_key: dict[str, list[Request]] = defaultdict(list)
        self._one_by_one: set[str] = set()

    def load(self, links: Iterable[tuple[str, Request]], one_by_one: Iterable[str]) -> None:
        """Take the requests in the ledger that were found by their keys."""
        self._one_by_one.update(one_by_one)
        for key, request in links:
            self._by_key[key].append(request)
            self.requests[request] = None

    def take(self, report: UsageEvent, probes: Iterable[str]) -> None:
        """Add a report to its request, or a request that is new; `probes` are those of reports."""
        session = session_key(report)
        if report.feed.endswith(SUMS) and session in self._one_by_one:
            return
        found = self._find(report, probes)
        request = found[0] if found else None
        if request is None and report.identity in self._known:
            return  # more than a day ago
        if request is None:
            request = Request(report, ())
            self.requests[request] = None
            request.accept(report)
        else:
            request.add(report)
        for other in found[1:]:
            request.absorb(other)
        self._index(report, request, session)

    def _index(self, report: UsageEvent, request: Request, session: str | None) -> None:
        for key in keys(report):
            self._by_key[key].append(request)
        if session is None:
            return
        if report.feed.endswith(SUMS):
            self._by_key[session].append(request)
        else:
            self._one_by_one.add(session)
            for sums in self._by_key.pop(session, ()):
                sums.is_cancelled = True

    def _find(self, report: UsageEvent, probes: Iterable[str]) -> list[Request]:
        """The requests that a report is of; each takes one of a feed, or the same one again.

        Several, where it is what shows that they are one: a trace of one, the call's id of another.
        """
        found: list[Request] = []
        feeds: set[str] = set()
        for key in probes:
            for request in self._by_key.get(key, ()):
                again = key == f"identity {report.identity}"
                fresh = report.feed not in request.feeds and is_same(key, request.event, report)
                apart = not found or not (request.final or feeds & request.feeds)
                if (again or fresh) and apart and not request.is_cancelled:
                    found.append(request)
                    feeds |= request.feeds
        return found
