"""Sums over entries, by hour and by what they are reported by."""

from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import HOUR_US
from tokentop.named_tuple import NamedTuple

# What sums are kept by; a report groups by some of these.
DIMENSIONS = ("user_id", "project", "team", "model", "provider", "engine", "outcome")
SUMMED = ("usage", "reversal")  # the kinds of entries that sums are over
Bucket = tuple[int | str, ...]  # the hour since 1970, then the DIMENSIONS, "" where unknown


class Totals(NamedTuple):
    """Sums over entries; each amount is over the entries in which it is known.

    `unmeasured`, `unpriced` and `unvalued` count the requests without token counts, USD and
    credits: with any, the sum is a lower bound. `estimated` counts the guesses of a feed.
    """

    requests: int = 0
    prompt: int = 0
    cached: int = 0
    generated: int = 0
    reasoning: int = 0
    gpu_ms: int = 0
    micro_usd: int = 0
    milli_credits: int = 0
    estimated: int = 0
    unmeasured: int = 0
    unpriced: int = 0
    unvalued: int = 0


def bucket(entry: Entry) -> Bucket:
    """The row of the hourly sums that an entry is part of, by the entry's own time."""
    return (entry.at_us // HOUR_US, *(getattr(entry, name) or "" for name in DIMENSIONS))


def totals(entry: Entry) -> Totals:
    """What one entry adds; a reversal takes its request away again."""
    sign = -1 if entry.kind == "reversal" else 1
    return Totals(
        requests=sign,
        prompt=entry.prompt or 0,
        cached=entry.cached or 0,
        generated=entry.generated or 0,
        reasoning=entry.reasoning or 0,
        gpu_ms=entry.gpu_ms or 0,
        micro_usd=entry.micro_usd or 0,
        milli_credits=entry.milli_credits or 0,
        estimated=sign * entry.estimated,
        unmeasured=sign * (entry.prompt is None or entry.generated is None),
        unpriced=sign * (entry.micro_usd is None),
        unvalued=sign * (entry.milli_credits is None),
    )


def added(one: Totals, other: Totals) -> Totals:
    return Totals(*map(sum, zip(one, other, strict=True)))
