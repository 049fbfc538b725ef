"""What the providers' lists have in common: rows that were refused, and offers worth keeping."""

from collections.abc import Callable, Iterable

from tokentop.domain.readings import InstanceReading, InstancesReading, Offer, OffersReading
from tokentop.sources.json_fields import Fields, objects


def read_offers(
    document: object, wrapper: str, provider: str, read: Callable[[Fields], Offer | None]
) -> OffersReading:
    """The list under `wrapper`; `read` gives None for what is no single GPU to be had now."""
    listed, bad = objects(document, wrapper, name="offers")
    fields = [Fields(row) for row in listed]
    found = [offer._replace(provider=provider) for f in fields if (offer := read(f)) is not None]
    return OffersReading(best(found), _bad(bad, fields))


def read_instances(
    document: object, wrapper: str, provider: str, read: Callable[[Fields], InstanceReading | None]
) -> InstancesReading:
    """The list under `wrapper`; `read` gives None for what has no GPU."""
    listed, bad = objects(document, wrapper, name="instances")
    pairs = [(read(f), f) for f in map(Fields, listed)]
    found = [one._replace(provider=provider, bad=f.bad) for one, f in pairs if one is not None]
    return InstancesReading(tuple(found), bad)


def best(offers: Iterable[Offer]) -> tuple[Offer, ...]:
    """The offers that no other one beats in both price and VRAM, the cheapest first.

    One without a price or a size is none of them: nothing can be decided by it.
    """
    kept: list[Offer] = []
    for offer in sorted(offers, key=lambda one: (one.usd_per_hour or 0.0, -(one.vram_bytes or 0))):
        most = kept[-1].vram_bytes or 0 if kept else 0
        if offer.usd_per_hour and (offer.vram_bytes or 0) > most:
            kept.append(offer)
    return tuple(kept)


def counted(gpu: str | None, count: int | None) -> str | None:
    """`RTX 4090`, or `4x RTX 4090`."""
    return gpu if gpu is None or count is None or count < 2 else f"{count}x {gpu}"


def _bad(bad: tuple[str, ...], fields: Iterable[Fields]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*bad, *(name for f in fields for name in f.bad))))
