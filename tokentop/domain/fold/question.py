"""The verdict's inputs: the stack's load, the members, the driver and lost GPUs."""

from collections.abc import Iterable

from tokentop.domain.engines.summary import ENGINES, EnginesSummary
from tokentop.domain.fold.inputs import (
    FoldInput,
    SourceState,
    fresh_first,
    lookup,
    select,
)
from tokentop.domain.gpu_pool import counted, in_service, vram_bytes
from tokentop.domain.readings import Failure, PressureReading, QueueReading, VramReading
from tokentop.domain.snapshot import Gpu, Llm, Service
from tokentop.domain.text import clean
from tokentop.domain.verdict.headline import Words
from tokentop.domain.verdict.stack import GPUS, STACK, StackLoad, service_members
from tokentop.domain.verdict.values import Clock, Member, Reason
from tokentop.domain.verdict.verdict import Question

QUEUE_KEYS = (
    "genesis/llm_queue",
    "genesis/llm_slots",
    "microscheduler/queue_stats",
    "microscheduler/capacity",
)
VRAM_KEYS = ("genesis/llm_queue", "microscheduler/queue_stats", "microscheduler/vram_status")
GPU_KEYS = ("accel/gpu_metrics", "compute/gpu_devices")
_LOST_SHOWN = 3


def question(
    inp: FoldInput, engines: EnginesSummary, services: tuple[Service, ...], slots: Llm
) -> Question:
    """Everything the verdict is made of."""
    clock = _clock(inp)
    stack_members = service_members(services)
    return Question(
        engines=inp.engines,
        members=_engine_members(inp, engines.gpus, clock),
        stack=_stack(inp, engines, slots, present=bool(stack_members)),
        stack_members=stack_members,
        stack_answers=_stack_answers(inp),
        others=tuple(_others(inp, engines.gpus)),
        vram_decides=inp.policy.profile == "vram",
        tiers=inp.policy.tiers,
        clock=clock,
        before=inp.before,
        words=Words(
            stack=bool(stack_members),
            waiting=_waiting(inp),
            reporters=_reporters(inp) or (),
        ),
    )


def _clock(inp: FoldInput) -> Clock:
    return Clock(
        inp.now,
        inp.wall,
        inp.utc_offset_s,
        inp.interval_s,
        inp.policy.health.starting_grace_s,
    )


def _engine_members(inp: FoldInput, pool: tuple[Gpu, ...], clock: Clock) -> tuple[Member, ...]:
    if not inp.engines:
        return ()
    from tokentop.domain.verdict.members import engine_members  # loaded only with an engine

    lost = (p.pid for gpu in pool if not in_service(gpu) for p in gpu.processes or ())
    return engine_members(inp.engines, frozenset(lost), clock)


def _stack(
    inp: FoldInput, engines: EnginesSummary, slots: Llm, *, present: bool
) -> StackLoad | None:
    """The stack's load; the GPUs' alone where the user lets VRAM decide on another box."""
    forced = inp.policy.profile == "vram" and bool(engines.gpus)
    if not present and not forced:
        return None
    serving = inp.policy.profile == "serving" or (inp.policy.profile == "auto" and engines.reports)
    acta = lookup(inp, "acta/compute_pressure")
    if slots.source == ENGINES:
        slots = Llm()  # the engines have pools of their own
    load = StackLoad(
        model=STACK if present else GPUS,
        active=slots.active,
        queued=slots.queued,
        max_slots=slots.max_slots,
        kv_cache=slots.kv_cache,
        slots_estimated=slots.slots_estimated,
        kv_estimated=slots.kv_estimated,
        reporters=_reporters(inp),
        profile="serving" if serving else "vram",
    )
    return _with_pressure(_with_vram(load, inp, engines.gpus, slots), acta)


def _with_vram(load: StackLoad, inp: FoldInput, pool: tuple[Gpu, ...], slots: Llm) -> StackLoad:
    """The load with its VRAM, and the age of the oldest input that its formula uses."""
    vram, vram_age_s, vram_fresh = _vram(inp, pool)
    queue_age_s, queue_fresh = _queue_age(inp, slots)
    load = load._replace(vram=vram)
    ages = [vram_age_s] if load.profile == "vram" and vram is not None else []
    fresh = [vram_fresh] if ages else []
    if load.queue is not None or (load.profile == "serving" and load.utilization is not None):
        ages.append(queue_age_s)
        fresh.append(queue_fresh)
    known = [age for age in ages if age is not None]
    return load._replace(age_s=max(known, default=None), stale=not all(fresh))


def _with_pressure(load: StackLoad, acta: SourceState) -> StackLoad:
    """ACTA has the last word where it answers, or where nothing else is fresh."""
    reading = acta.good
    if not isinstance(reading, PressureReading) or reading.pressure is None:
        return load
    if not acta.fresh and load.utilization is not None:
        return load
    return load._replace(pressure=reading.pressure, age_s=acta.age_s, stale=not acta.fresh)


def _vram(inp: FoldInput, pool: tuple[Gpu, ...]) -> tuple[float | None, float | None, bool]:
    """(used of total 0-1, age of the oldest figure, whether any is fresh)."""
    if (sizes := vram_bytes(pool)) is not None:
        ages = [gpu.age_s for gpu in counted(pool) if gpu.age_s is not None]
        fresh = any(gpu.state == "ok" for gpu in counted(pool))
        return sizes[0] / sizes[1], max(ages, default=None), fresh
    for state in fresh_first(lookup(inp, key) for key in VRAM_KEYS):
        used, total = _account(state)
        if used is not None and total:
            return used / total, state.age_s, state.fresh
    return None, None, False


def _account(state: SourceState) -> tuple[int | None, int | None]:
    if isinstance(state.good, QueueReading):
        return state.good.vram_used_bytes, state.good.vram_total_bytes
    if isinstance(state.good, VramReading):
        return state.good.allocated_bytes, state.good.total_bytes
    return None, None


def _queue_age(inp: FoldInput, slots: Llm) -> tuple[float | None, bool]:
    states = [lookup(inp, key) for key in QUEUE_KEYS]
    found = [select(states, lambda r: r.queued), select(states, lambda r: r.max_slots)]
    used = [one.state for one in found if one.state is not None]
    if not used:
        return slots.age_s, not slots.stale
    ages = [state.age_s for state in used if state.age_s is not None]
    return max(ages, default=None), any(state.fresh for state in used)


def _reporters(inp: FoldInput) -> tuple[str, ...] | None:
    """Which services report back-pressure; None where no source has the field.

    Stale sources count only where all are stale.
    """
    states = [lookup(inp, key) for key in (*QUEUE_KEYS, "acta/compute_pressure")]
    heard = [state for state in states if state.fresh] or states
    answers = [
        (state.service, state.good.back_pressure)
        for state in heard
        if isinstance(state.good, QueueReading | PressureReading)
        and state.good.back_pressure is not None
    ]
    return tuple(dict.fromkeys(name for name, yes in answers if yes)) if answers else None


def _stack_answers(inp: FoldInput) -> bool:
    """Whether a queue source or a GPU source answers now."""
    keys = (*QUEUE_KEYS, *GPU_KEYS)
    driver = inp.nvml.outcome == "ok"
    return driver or any(lookup(inp, key).fresh for key in keys)


def _others(inp: FoldInput, pool: Iterable[Gpu]) -> Iterable[Reason]:
    failing = [gpu for gpu in pool if gpu.mig is None and _has_failed(gpu)]
    for gpu in failing[:_LOST_SHOWN]:
        name = "GPU" if gpu.index is None else f"GPU {gpu.index}"
        what = "is lost" if gpu.state == "lost" else "fails"
        yield Reason("gpu_lost", f"{name} {what}: {clean(gpu.note or 'no reason given', 120)}")
    outcome = inp.nvml.outcome
    if inp.nvml_enabled and isinstance(outcome, Failure):
        expected = inp.nvml.good is not None or outcome.kind != "absent"
        if expected and not (failing and outcome.kind == "gpu-lost"):
            yield Reason("driver_silent", clean(outcome.text, 160), "nvml")


def _has_failed(gpu: Gpu) -> bool:
    """Lost, or in error after it was read before; one that this user may not open counts never."""
    return gpu.state == "lost" or (gpu.state == "error" and gpu.age_s is not None)


def _waiting(inp: FoldInput) -> bool:
    """Whether no source has answered yet, good or bad."""
    polled = any(held.outcome is not None for held in (*inp.held.values(), inp.nvml))
    return not polled and not any(one.outcome is not None for one in inp.engines)
