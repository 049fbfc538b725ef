"""A ledger entry, its canonical bytes, and the SHA-256 chain that entries of one writer form."""

import json
from collections.abc import Mapping
from hashlib import sha256
from operator import itemgetter

from tokentop.domain.ledger.event import UsageEvent
from tokentop.light_typing import Any, Literal
from tokentop.named_tuple import NamedTuple

Kind = Literal["usage", "reversal", "value", "transfer", "decision", "flag", "count"]

GENESIS = bytes(32)  # the hash before a writer's first entry


class Entry(NamedTuple):
    """One line of the ledger. Times in Unix microseconds, money in micro-USD and milli-credits.

    `seq` counts a writer's entries from 1. A person stands here by a random id, so that the name
    can be erased without a change to any entry. A reversal has the amounts of the entry that it
    `reverses` (an identity) with the sign turned. `valuation` is the id of the inputs of
    `milli_credits`. `details` is canonical JSON of what a kind has of its own; of usage, what
    `gpu_ms` was computed from.
    """

    writer: str
    seq: int
    kind: Kind
    identity: str
    at_us: int
    booked_us: int
    feed: str
    outcome: str
    estimated: int
    reverses: str | None = None
    user_id: str | None = None
    end_user_id: str | None = None
    project: str | None = None
    team: str | None = None
    authenticated: str | None = None
    model: str | None = None
    provider: str | None = None
    engine: str | None = None
    request: str | None = None
    session: str | None = None
    task: str | None = None
    prompt: int | None = None
    cached: int | None = None
    generated: int | None = None
    reasoning: int | None = None
    duration_ms: int | None = None
    gpu: str | None = None
    gpu_ms: int | None = None
    vram_share: int | None = None
    transfer_bytes: int | None = None
    micro_usd: int | None = None
    milli_credits: int | None = None
    valuation: str | None = None
    details: str | None = None


AMOUNTS = (
    "prompt", "cached", "generated", "reasoning", "duration_ms", "gpu_ms", "transfer_bytes",
    "micro_usd", "milli_credits",
)  # fmt: skip
_SAME = tuple(name for name in UsageEvent._fields if name in Entry._fields and name != "estimated")
_SORTED = sorted(Entry._fields)
_in_order = itemgetter(*map(Entry._fields.index, _SORTED))
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class Link(NamedTuple):
    """Where an entry goes: its writer, its number there, and when it is booked."""

    writer: str
    seq: int
    booked_us: int


def canonical(values: Mapping[str, object]) -> bytes:
    """Values as RFC 8785 writes them: sorted keys, no spaces, UTF-8; unknown values left out.

    Values are integers and text, so that no two writers print the same number differently. A field
    added later is absent from older entries, whose bytes stay the same.
    """
    return _encode({name: each for name, each in values.items() if each is not None}).encode()


def encode(entry: Entry) -> bytes:
    """The canonical bytes of an entry, which are hashed."""
    values = zip(_SORTED, _in_order(entry), strict=True)
    return _encode({name: each for name, each in values if each is not None}).encode()


def chained(before: bytes, data: bytes) -> bytes:
    """The hash of an entry with the canonical bytes `data`, after the hash of the one before it."""
    return sha256(before + data).digest()


def usage(
    event: UsageEvent,
    *,
    link: Link,
    people: Mapping[str, str],
    value: tuple[int | None, str | None],
) -> Entry:
    """The entry of an event: `people` has the id of each name, `value` milli-credits and inputs."""
    values: dict[str, Any] = {name: getattr(event, name) for name in _SAME}
    values["authenticated"] = ",".join(event.authenticated) or None
    return Entry(
        **link._asdict(),
        kind="usage",
        estimated=int(event.estimated),
        user_id=people[event.user] if event.user else None,
        end_user_id=people[event.end_user] if event.end_user else None,
        milli_credits=value[0],
        valuation=value[1],
        **values,
    )


def reversal(entry: Entry, *, link: Link) -> Entry:
    """The entry that cancels `entry`, booked at the time of the one that it cancels."""
    amounts = ((name, getattr(entry, name)) for name in AMOUNTS)
    turned: dict[str, Any] = {name: amount and -amount for name, amount in amounts}
    identity = f"reversal:{entry.identity}"
    return entry._replace(
        **link._asdict(), kind="reversal", identity=identity, reverses=entry.identity, **turned
    )
