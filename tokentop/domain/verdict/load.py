"""The load of one pool as its serving members report it, and the tier that follows from it."""

from collections.abc import Iterable, Sequence

from tokentop.domain.economy.demand import serving_utilization
from tokentop.domain.engines.observation import EngineObservation
from tokentop.domain.engines.readings import fullest_kv
from tokentop.domain.numbers import ratio, total
from tokentop.domain.policy import KV_FULL, TierPolicy
from tokentop.domain.text import approx
from tokentop.domain.verdict.headline import all_busy, slots_in_words
from tokentop.domain.verdict.members import place
from tokentop.domain.verdict.tiers import at_least, lifted, tier_at
from tokentop.domain.verdict.values import Reason, Tier
from tokentop.named_tuple import NamedTuple

KV_PRESSED = 0.9  # from here on a preemption is more than bad luck
BUSY = 0.8  # all slots busy: where surge starts


class Load(NamedTuple):
    """One pool's load. Slots, and the active requests in them, are of members that report slots.

    `rejected` and `preempted` say that requests were refused or set back within the last minute,
    `unbalanced` that they wait at one member while another has free slots.
    """

    model: str
    active: int | None = None
    queued: int | None = None
    max_slots: int | None = None
    in_slots: int | None = None
    kv_cache: float | None = None
    rejected: bool = False
    preempted: bool = False
    back_pressure: bool = False
    unbalanced: str = ""
    age_s: float | None = None
    slots_estimated: bool = False
    kv_estimated: bool = False

    @property
    def free(self) -> int | None:
        """Slots that are free now, over the members that report both."""
        if self.in_slots is None or self.max_slots is None:
            return None
        return max(0, self.max_slots - self.in_slots)

    @property
    def utilization(self) -> float | None:
        """The serving formula over the parts that are known, 0-1."""
        if self.max_slots:
            occupancy = ratio(self.in_slots, self.max_slots)
            return serving_utilization(self.kv_cache, occupancy, ratio(self.queued, self.max_slots))
        if self.queued:
            return max(self.kv_cache or 0.0, BUSY)
        return self.kv_cache

    @property
    def at_least(self) -> bool:
        """Whether the utilisation is a lower bound: requests wait for slots of unknown number."""
        return bool(self.queued) and not self.max_slots


def load_of(model: str, serving: Sequence[EngineObservation]) -> Load:
    """The sums over the serving members of one pool; KV cache is the fullest, never a sum."""
    figures = [(one, one.figures) for one in serving]
    readings = [reading for _, reading in figures if reading is not None]
    slotted = [r for r in readings if r.max_slots is not None and r.active is not None]
    kv_cache, kv_estimated = fullest_kv(readings)
    ages = [one.age_s for one in serving if one.age_s is not None]
    return Load(
        model,
        active=total(r.active for r in readings),
        queued=total(r.queued for r in readings),
        max_slots=total(r.max_slots for r in slotted),
        in_slots=total(r.active for r in slotted),
        kv_cache=kv_cache,
        rejected=any((one.rates.window.rejections or 0) > 0 for one in serving),
        preempted=any((one.rates.window.preemptions or 0) > 0 for one in serving),
        back_pressure=any(r.back_pressure for r in readings),
        unbalanced=_unbalanced(serving),
        age_s=max(ages, default=None),
        slots_estimated=any(r.slots_estimated for r in slotted),
        kv_estimated=kv_estimated,
    )


def _unbalanced(serving: Sequence[EngineObservation]) -> str:
    """Which member has a queue and which one free slots, in words; empty where none has."""
    waiting = [(r.queued or 0, place(one)) for one in serving if (r := one.figures)]
    free = [
        ((r.max_slots or 0) - (r.active or 0), place(one), r.slots_estimated)
        for one in serving
        if (r := one.figures) and not r.queued
    ]
    queue, full = max(waiting, default=(0, ""))
    slots, idle, estimated = max(free, default=(0, "", False))
    if queue <= 0 or slots <= 0:
        return ""
    unused = f"{slots_in_words(slots, estimated)} {'is' if slots == 1 else 'are'} free"
    return f"{queue} wait{'s' * (queue == 1)} on {full} while {unused} on {idle}"


def tier_of(load: Load, utilization: float | None, tiers: TierPolicy) -> Tier | None:
    """The tier before hysteresis; what waits or is refused decides over the formula."""
    if is_full(load):
        return "saturated"
    tier = tier_at(utilization, tiers)
    if load.queued:
        tier = at_least(tier, "high")
    elif load.active and not load.max_slots and tier == "idle":
        tier = "low"  # it is at work, whatever its KV cache's use
    pressed = (load.kv_cache or 0.0) >= KV_PRESSED or bool(load.queued)
    return lifted(tier) if load.preempted and pressed else tier


def is_full(load: Load) -> bool:
    """A request that comes now waits behind a whole queue, or is refused."""
    queue_full = bool(load.max_slots) and (load.queued or 0) >= (load.max_slots or 0)
    return queue_full or load.rejected or load.back_pressure


def reasons_of(load: Load, member: str | None) -> Iterable[Reason]:
    """Why the pool is as full as it is, the most important first."""
    name, queued = load.model, load.queued or 0
    wait = f"{queued} request{'s' * (queued != 1)} wait{'s' * (queued == 1)} for {name}"
    if load.max_slots and queued >= load.max_slots:
        slots = slots_in_words(load.max_slots, load.slots_estimated)
        yield Reason("queue_full", f"{wait}, which has {slots}", member)
    if load.rejected:
        yield Reason("rejections", f"{name} refused requests within the last minute", member)
    if load.back_pressure:
        yield Reason("back_pressure", f"{name} reports that its queue is full", member)
    if (load.kv_cache or 0.0) > KV_FULL:
        full = approx(f"{load.kv_cache:.0%} full", load.kv_estimated)
        yield Reason("kv_full", f"the KV cache of {name} is {full}", member)
    if load.max_slots and load.free == 0:
        busy = all_busy(name, load.max_slots, load.slots_estimated)
        yield Reason("slots_full", busy, member)
    if load.unbalanced:
        yield Reason("unbalanced", load.unbalanced, member)
    if queued:
        yield Reason("queue_waiting", wait, member)
    if load.preempted:
        yield Reason("preemptions", f"{name} set back running requests, its memory is full", member)
