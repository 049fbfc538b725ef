"""The seven-service stack's pool: VRAM and its queue, or ACTA's word where ACTA answers."""

from collections.abc import Iterable, Iterator, Sequence

from tokentop.domain.economy.demand import serving_utilization, vram_utilization
from tokentop.domain.numbers import clamp01, ratio
from tokentop.domain.policy import OFFLINE_AFTER_S, TierPolicy
from tokentop.domain.snapshot import Service
from tokentop.domain.text import approx, clean, known
from tokentop.domain.verdict.headline import all_busy
from tokentop.domain.verdict.tiers import at_least, tier_at
from tokentop.domain.verdict.values import Member, Mode, Reason, Tier
from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple

STACK = "stack"
GPUS = "GPUs"  # the pool where the user lets VRAM decide on a box without the stack


class StackLoad(NamedTuple):
    """What the stack's sources report; `vram` is used of total, 0-1.

    `pressure` is ACTA's where it has the last word. `reporters` are the services that report
    back-pressure, None where no source has the field. `age_s` is the age of the oldest input.
    """

    model: str = STACK
    active: int | None = None
    queued: int | None = None
    max_slots: int | None = None
    kv_cache: float | None = None
    vram: float | None = None
    pressure: float | None = None
    reporters: tuple[str, ...] | None = None
    profile: Literal["vram", "serving"] = "vram"
    age_s: float | None = None
    stale: bool = False
    slots_estimated: bool = False
    kv_estimated: bool = False

    @property
    def memory(self) -> float | None:
        """The profile's memory pressure, 0-1."""
        return self.vram if self.profile == "vram" else self.kv_cache

    @property
    def queue(self) -> float | None:
        """Queued of all slots."""
        return ratio(self.queued, self.max_slots)

    @property
    def utilization(self) -> float | None:
        """ACTA's pressure, else the profile's formula."""
        if known(self.pressure):
            return clamp01(self.pressure)
        if self.profile == "vram":
            return vram_utilization(self.vram, self.queue)
        memory = self.kv_cache if known(self.kv_cache) else None
        return serving_utilization(memory, ratio(self.active, self.max_slots), self.queue)

    @property
    def free(self) -> int | None:
        """Free slots."""
        if self.active is None or self.max_slots is None:
            return None
        return max(0, self.max_slots - self.active)

    @property
    def queue_is_full(self) -> bool:
        return self.queued is not None and self.queued >= (self.max_slots or 0) > 0


def stack_tier(load: StackLoad, utilization: float | None, tiers: TierPolicy) -> Tier | None:
    """The tier before hysteresis."""
    if load.reporters or load.queue_is_full:
        return "saturated"
    tier = tier_at(utilization, tiers)
    return at_least(tier, "high") if load.queued else tier


def stack_mode(load: StackLoad, mode: Mode | None, tiers: TierPolicy) -> Mode | None:
    """Back-pressure alone, with no maxed queue, is shown under the banner of pressure."""
    over = (load.utilization or 0.0) > tiers.saturated
    if mode == "saturated" and load.reporters and not load.queue_is_full and not over:
        return "pressure"
    return mode


def stack_reasons(load: StackLoad, tiers: TierPolicy) -> Iterator[Reason]:
    """Why the stack is as full as it is, the most important first."""
    queued = load.queued or 0
    wait = f"{queued} request{'s' * (queued != 1)} wait{'s' * (queued == 1)}"
    if load.queue_is_full:
        yield Reason("queue_full", f"{wait}, and there are {load.max_slots} slots", STACK)
    for name in load.reporters or ():
        yield Reason("back_pressure", f"{name} reports back-pressure", name)
    if known(load.pressure):
        yield Reason("acta", f"ACTA puts demand at {load.pressure:.0%}", "acta")
    if load.profile == "vram" and (load.vram or 0.0) > tiers.saturated:
        yield Reason("vram_full", f"VRAM is {load.vram:.0%} full", STACK)
    if load.profile == "serving" and (load.kv_cache or 0.0) > tiers.saturated:
        full = approx(f"{load.kv_cache:.0%} full", load.kv_estimated)
        yield Reason("kv_full", f"the KV cache is {full}", STACK)
    if load.free == 0 and load.max_slots:
        busy = all_busy(STACK, load.max_slots, load.slots_estimated)
        yield Reason("slots_full", busy, STACK)
    if queued:
        yield Reason("queue_waiting", wait, STACK)
    if load.stale:
        yield Reason("stale_data", "the figures are old: their sources do not answer", STACK)


def service_members(services: Iterable[Service]) -> tuple[Member, ...]:
    """The services of the stack that were configured, or have answered since the start."""
    return tuple(_service(one) for one in services if one.kind == "aither" and one.member)


def stack_down(members: Sequence[Member]) -> Reason:
    """In one sentence that the stack as a whole is down."""
    up = sum(member.standing == "serving" for member in members)
    text = f"The stack is down: {up} of its {len(members)} services answer"
    if not up:
        text = "The stack is down: none of its services answers"
    return Reason("engine_down", text, STACK)


def _service(one: Service) -> Member:
    name = clean(one.name, 40)
    if one.state == "online":
        return Member(name, "stack", "serving")
    old = (one.age_s is None or one.age_s > OFFLINE_AFTER_S) and one.reason != "our-limit"
    if one.state == "offline" or (one.state in ("backing-off", "stale") and old):
        text = f"{name} is down: {clean(one.error or 'it does not answer', 160)}"
        return Member(name, "stack", "down", reason=Reason("engine_down", text, name))
    text = f"{name}: {clean(one.error or one.state, 160)}"
    return Member(name, "stack", "degraded", reason=Reason("engine_degraded", text, name))
