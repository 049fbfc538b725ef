"""The rented instances: which of them serve, and what they cost together."""

from tokentop.domain.fold.inputs import FoldInput, lookup
from tokentop.domain.readings import InstanceReading, InstancesReading
from tokentop.domain.snapshot import Cloud, CloudInstance

# An instance listed without a status counts as serving: APIs do not list terminated ones.
_SERVING = frozenset(
    ("running", "active", "ready", "online", "serving", "healthy", "up", "busy", "idle", "started")
)
_UNBILLED = frozenset(("stopped", "paused", "failed", "error", "exited"))
_GONE = frozenset(("terminated", "deleted", "destroyed", "released", "cancelled", "canceled"))


def cloud(inp: FoldInput) -> Cloud:
    """All None before the first list of instances; terminated ones are left out."""
    state = lookup(inp, "compute/cloud_instances")
    if not isinstance(state.good, InstancesReading):
        return Cloud()
    listed = [one for one in state.good.instances if _word(one) not in _GONE]
    instances = tuple(_instance(one) for one in listed)
    return Cloud(
        instances=instances,
        active=sum(one.active for one in instances),
        usd_per_hour=_bill([one for one in listed if _word(one) not in _UNBILLED]),
        age_s=state.age_s,
        stale=not state.fresh,
    )


def _instance(one: InstanceReading) -> CloudInstance:
    return CloudInstance(
        id=one.id,
        gpu=one.gpu,
        region=one.region,
        status=one.status,
        model=one.model,
        usd_per_hour=one.usd_per_hour,
        active=one.status is None or _word(one) in _SERVING,
    )


def _bill(billed: list[InstanceReading]) -> float | None:
    """The sum of the known prices; unknown where instances run and none has a known price."""
    prices = [one.usd_per_hour for one in billed if one.usd_per_hour is not None]
    return sum(prices) if prices or not billed else None


def _word(one: InstanceReading) -> str:
    return (one.status or "").casefold()
