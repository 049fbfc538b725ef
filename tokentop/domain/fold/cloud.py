"""The rented instances: which of them serve, and what they cost together."""

from tokentop.domain.fold.inputs import FoldInput, SourceState, aged, lookup
from tokentop.domain.readings import InstanceReading, InstancesReading, OffersReading
from tokentop.domain.snapshot import Cloud, CloudInstance

# An instance listed without a status counts as serving: APIs do not list terminated ones.
_SERVING = frozenset(
    ("running", "active", "ready", "online", "serving", "healthy", "up", "busy", "idle", "started")
)
_UNBILLED = frozenset(("stopped", "paused", "failed", "error", "exited"))
_GONE = frozenset(("terminated", "deleted", "destroyed", "released", "cancelled", "canceled"))


def cloud(inp: FoldInput) -> Cloud:
    """All None before the first list of instances; terminated ones are left out."""
    lists = rental_lists(inp, "compute/cloud_instances", InstancesReading)
    if not lists:
        return Cloud()
    every = (
        i for one in lists if isinstance(one.good, InstancesReading) for i in one.good.instances
    )
    listed = [one for one in every if _word(one) not in _GONE]
    instances = tuple(_instance(one) for one in listed)
    age_s, stale = aged((one.age_s, not one.fresh) for one in lists)
    return Cloud(
        instances=instances,
        active=sum(one.active for one in instances),
        usd_per_hour=_bill([one for one in listed if _word(one) not in _UNBILLED]),
        age_s=age_s,
        stale=stale,
        source="+".join(one.service for one in lists),
    )


def rental_lists(
    inp: FoldInput, own_key: str, kind: type[OffersReading] | type[InstancesReading]
) -> list[SourceState]:
    """The stack's own list, `own_key`; where it is silent or missing, those of the providers."""
    own = lookup(inp, own_key)
    others = [
        lookup(inp, key)
        for key, held in inp.held.items()
        if key != own_key and isinstance(held.good, kind)
    ]
    if isinstance(own.good, kind) and (own.fresh or not others):
        return [own]
    return others


def ended_by_stack(rented: Cloud) -> int | None:
    """How many serving instances the stack ends when they are surplus; None where there is none."""
    return rented.active if rented.source == "compute" else None


def _instance(one: InstanceReading) -> CloudInstance:
    return CloudInstance(
        id=one.id,
        gpu=one.gpu,
        region=one.region,
        status=one.status,
        model=one.model,
        usd_per_hour=one.usd_per_hour,
        active=one.status is None or _word(one) in _SERVING,
        provider=one.provider,
    )


def _bill(billed: list[InstanceReading]) -> float | None:
    """The sum of the known prices; unknown where instances run and none has a known price."""
    prices = [one.usd_per_hour for one in billed if one.usd_per_hour is not None]
    return sum(prices) if prices or not billed else None


def _word(one: InstanceReading) -> str:
    return (one.status or "").casefold()
