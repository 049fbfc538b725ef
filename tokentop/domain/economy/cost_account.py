"""What stretches of time cost and produced, added up over the last hour."""

from collections import deque
from collections.abc import Iterable
from operator import add

from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple

WINDOW_S = 3600.0
SLICE_S = 60.0
MOST_GAPS = 64  # engines whose gaps are kept, in a slice and in all: names come and go


class Account(NamedTuple):
    """What a stretch of time cost and produced; seconds, USD, watt-hours, generated tokens.

    `counted_s` is the time in which some engine reported its tokens, `estimated_s` that in which
    only a rate was known. `busy_tokens` leave out what was made before anybody looked;
    `watt_tokens` were made while watts were measured. `unmetered_s` and `unmetered_busy_s` are of
    a rate that lacked some electricity, `uncounted_busy_s` of busy time in which an engine did
    not report its tokens.
    """

    seconds: float = 0.0
    usd: float = 0.0
    tokens: float = 0.0
    counted_s: float = 0.0
    estimated_s: float = 0.0
    busy_s: float = 0.0
    busy_usd: float = 0.0
    busy_tokens: float = 0.0
    uncounted_busy_s: float = 0.0
    watt_hours: float = 0.0
    watt_tokens: float = 0.0
    unmetered_s: float = 0.0
    unmetered_busy_s: float = 0.0

    def plus(self, other: "Account") -> "Account":
        return Account(*map(add, self, other))


class Slice(NamedTuple):
    """About a minute from `start` on; `gaps` are the seconds an engine (id) reported nothing."""

    start: float
    account: Account
    gaps: dict[str, float]


class LastHour:
    """The last hour in slices; times are monotonic seconds."""

    def __init__(self, slices: Iterable[Slice] = ()) -> None:
        self.slices = deque(slices)

    def add(self, now: float, account: Account, gaps: Iterable[str]) -> None:
        """Take one stretch that ended `now`, in which the engines `gaps` reported no tokens."""
        if not self.slices or now - self.slices[-1].start >= SLICE_S:
            self.slices.append(Slice(now, Account(), {}))
        start, before, missing = self.slices[-1]
        for engine in gaps:
            if engine in missing or len(missing) < MOST_GAPS:
                missing[engine] = missing.get(engine, 0.0) + account.seconds
        self.slices[-1] = Slice(start, before.plus(account), missing)
        while self.slices[0].start < now - WINDOW_S:
            self.slices.popleft()

    def dump(self) -> list[object]:
        """The slices as plain JSON values."""
        return [[one.start, list(one.account), dict(one.gaps)] for one in self.slices]

    @classmethod
    def restored(cls, saved: Any) -> "LastHour":
        """From what `dump` made.

        Raises TypeError, ValueError or AttributeError where it is something else.
        """
        rows = [(float(start), account, gaps) for start, account, gaps in saved]
        return cls(
            Slice(start, Account(*map(float, account)), {str(e): float(s) for e, s in gaps.items()})
            for start, account, gaps in rows
        )

    def total(self) -> Account:
        """All slices together."""
        total = Account()
        for one in self.slices:
            total = total.plus(one.account)
        return total

    def gaps(self) -> dict[str, float]:
        """Seconds of the hour in which each engine reported no tokens, of those with the most."""
        found: dict[str, float] = {}
        for one in self.slices:
            for engine, seconds in one.gaps.items():
                found[engine] = found.get(engine, 0.0) + seconds
        most = set(sorted(found, key=found.__getitem__, reverse=True)[:MOST_GAPS])
        return {engine: seconds for engine, seconds in found.items() if engine in most}
