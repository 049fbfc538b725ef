"""Readings + the time -> Snapshot: preference chains, matching by UUID, staleness.

For every figure the sources are asked in the order of preference; those whose latest poll
succeeded come first, and the last good value of a silent one is the last resort.
"""

from tokentop.domain.economy import capacity as scaling
from tokentop.domain.economy.demand import demand
from tokentop.domain.economy.pricing import pricing
from tokentop.domain.engines.summary import ENGINES, EnginesSummary, combined_slots
from tokentop.domain.fold.cloud import cloud
from tokentop.domain.fold.gpus import gpus
from tokentop.domain.fold.inputs import (
    FoldInput,
    Selected,
    ServiceObservation,
    SourceState,
    age,
    all_stale,
    fresh_first,
    lookup,
    select,
    youngest,
)
from tokentop.domain.fold.services import online, services
from tokentop.domain.gpu_pool import counted, vram_bytes
from tokentop.domain.readings import (
    OffersReading,
    PressureReading,
    QueueReading,
    RatesReading,
    VramReading,
)
from tokentop.domain.snapshot import (
    Agents,
    Capacity,
    Demand,
    Gpu,
    Llm,
    Mint,
    Parallel,
    Pricing,
    Snapshot,
)

__all__ = ["FoldInput", "ServiceObservation", "fold"]

QUEUE_KEYS = (
    "genesis/llm_queue",
    "genesis/llm_slots",
    "microscheduler/queue_stats",
    "microscheduler/capacity",
)
VRAM_KEYS = ("genesis/llm_queue", "microscheduler/queue_stats", "microscheduler/vram_status")


def fold(inp: FoldInput) -> Snapshot:
    """One snapshot of everything held; the safe zero state where nothing has answered."""
    fleet, rented = _fleet(inp), cloud(inp)
    pool, slots = fleet.gpus, combined_slots(llm(inp), _queue_answers(inp), fleet.llm)
    need = _demand(inp, slots, fleet)
    rates = _rates(inp)
    price = pricing(
        inp.policy.pricing, need, acta=_acta(inp, need), rates=rates, priced=_priced(inp)
    )
    return Snapshot(
        version=inp.version,
        at=inp.at,
        host=inp.host,
        interval_s=inp.interval_s,
        demo=inp.demo,
        services_online=online(inp),
        services=(*services(inp), *fleet.services),
        gpus=pool,
        llm=slots,
        throughput=fleet.throughput,
        engines=fleet.engines,
        demand=need,
        pricing=price,
        capacity=_capacity(inp, pool, need, rented.active, rates),
        cloud=rented,
        mint=_mint(inp, price, rates),
        parallel=_parallel(inp),
        agents=_agents(inp),
        data_age_s=_data_age(inp, fleet),
    )


def llm(inp: FoldInput) -> Llm:
    """The slots; `source` names whoever supplied a figure, joined with + in order of preference."""
    states = [lookup(inp, key) for key in QUEUE_KEYS]
    active = select(states, lambda r: r.active)
    queued = select(states, lambda r: r.queued)
    slots = select(states, lambda r: r.max_slots)
    models = select(states, lambda r: r.models)
    selections = (active, queued, slots, models)
    free = None
    if active.value is not None and slots.value is not None:
        free = max(0, slots.value - active.value)
    names = {selected.state.service for selected in selections if selected.state is not None}
    return Llm(
        active=active.value,
        queued=queued.value,
        max_slots=slots.value,
        free=free,
        models=None if models.value is None else tuple(sorted(models.value, key=_by_name)),
        back_pressure=_back_pressure(states),
        source="+".join(name for name in ("genesis", "microscheduler") if name in names) or None,
        age_s=youngest(selections),
        stale=all_stale(selections),
    )


def _by_name(name: str) -> tuple[str, str]:
    # Servers list models in the order of a set; chips that change places cannot be read.
    return name.casefold(), name


def _fleet(inp: FoldInput) -> EnginesSummary:
    if not inp.engines:
        return EnginesSummary(gpus=gpus(inp))
    from tokentop.domain.engines.aggregate import fleet  # only who has an engine pays for it

    return fleet(inp.engines, gpus(inp), inp.host, inp.stale_after_s, inp.pooled)


def _queue_answers(inp: FoldInput) -> bool:
    return any(lookup(inp, key).fresh for key in QUEUE_KEYS)


def _back_pressure(states: list[SourceState]) -> bool | None:
    """True when any of those who answer reports it; the silent are believed only among silence."""
    heard = [state for state in states if state.fresh] or states
    said = [s.good.back_pressure for s in heard if isinstance(s.good, QueueReading)]
    known = [value for value in said if value is not None]
    return any(known) if known else None


def _demand(inp: FoldInput, slots: Llm, fleet: EnginesSummary) -> Demand:
    vram, vram_fresh = _vram(inp, fleet.gpus)
    seats = fleet.seats if slots.source == ENGINES else slots
    if fleet.reports and inp.policy.profile != "vram":
        measured = slots.kv_cache is not None or bool(seats.max_slots)
        local_fresh = measured and not slots.stale
    else:
        measured = vram is not None or (seats.queued is not None and bool(seats.max_slots))
        local_fresh = (vram is not None and vram_fresh) or (measured and _queue_fresh(inp, slots))
    acta, acta_fresh = _pressure(inp)
    if not acta_fresh and measured:
        acta = None  # silent, ACTA has the last word only where nobody else has any
    by_acta = acta is not None and acta.pressure is not None
    return demand(
        inp.policy,
        vram_used_bytes=vram[0] if vram else None,
        vram_total_bytes=vram[1] if vram else None,
        active=seats.active,
        queued=seats.queued,
        max_slots=seats.max_slots,
        kv_cache=slots.kv_cache,
        back_pressure=slots.back_pressure,
        engines=fleet.reports,
        acta=acta,
        stale=not acta_fresh if by_acta else measured and not local_fresh,
    )


def _queue_fresh(inp: FoldInput, slots: Llm) -> bool:
    if slots.source == ENGINES:
        return not slots.stale
    return select([lookup(inp, key) for key in QUEUE_KEYS], lambda r: r.queued).fresh


def _vram(inp: FoldInput, pool: tuple[Gpu, ...]) -> tuple[tuple[int, int] | None, bool]:
    """((used, total) bytes, whether any of it is of now): the GPUs, else the schedulers' books."""
    if (summed := vram_bytes(pool)) is not None:
        return summed, any(gpu.state == "ok" for gpu in counted(pool))
    for state in fresh_first(lookup(inp, key) for key in VRAM_KEYS):
        used, total = _ledger_vram(state)
        if used is not None and total:
            return (used, total), state.fresh
    return None, False


def _ledger_vram(state: SourceState) -> tuple[int | None, int | None]:
    if isinstance(state.good, QueueReading):
        return state.good.vram_used_bytes, state.good.vram_total_bytes
    if isinstance(state.good, VramReading):
        return state.good.allocated_bytes, state.good.total_bytes
    return None, None


def _pressure(inp: FoldInput) -> tuple[PressureReading | None, bool]:
    state = lookup(inp, "acta/compute_pressure")
    return (state.good if isinstance(state.good, PressureReading) else None), state.fresh


def _acta(inp: FoldInput, need: Demand) -> PressureReading | None:
    """ACTA's reading where the price may follow it: it answers, or the demand is its last word."""
    acta, fresh = _pressure(inp)
    return acta if fresh or need.source == "acta" else None


def _rates(inp: FoldInput) -> RatesReading | None:
    good = lookup(inp, "mint/mint_rates").good
    return good if isinstance(good, RatesReading) else None


def _priced(inp: FoldInput) -> bool:
    """Whether the stack has answered; a fleet's GPUs are held beside it and price nothing."""
    stack = (lookup(inp, key) for service in inp.services for key in service.keys)
    return inp.priced or any(state.good is not None for state in stack)


def _capacity(
    inp: FoldInput,
    pool: tuple[Gpu, ...],
    need: Demand,
    active: int | None,
    rates: RatesReading | None,
) -> Capacity:
    offers = lookup(inp, "compute/cloud_offers").good
    rules = inp.policy.capacity
    return scaling.capacity(
        inp.policy,
        need,
        offers=offers.offers if isinstance(offers, OffersReading) else (),
        local_vram=[g.vram_total_bytes for g in counted(pool) if g.node == inp.host],
        rates=rates,
        below_since=scaling.below_since(inp.below_since, need.utilization, active, inp.now, rules),
        now=inp.now,
    )


def _mint(inp: FoldInput, price: Pricing, rates: RatesReading | None) -> Mint:
    states = [lookup(inp, "mint/mint_pool")]
    supply = select(states, lambda r: r.supply)
    circulation = select(states, lambda r: r.circulation)
    balance = select(states, lambda r: r.balance)
    own = rates is not None and rates.base_cost_tokens is not None
    selections = [supply, circulation, balance]
    if own:
        selections.append(Selected(rates, lookup(inp, "mint/mint_rates")))
    return Mint(
        supply=supply.value,
        circulation=circulation.value,
        balance=balance.value,
        base_cost_tokens=price.base_cost_tokens,
        source="mint" if own else "default",
        stale=all_stale(selections),
    )


def _parallel(inp: FoldInput) -> Parallel:
    states = [lookup(inp, "parallel/streams_stats")]
    active = select(states, lambda r: r.active_streams)
    most = select(states, lambda r: r.max_streams)
    completed = select(states, lambda r: r.completed_total)
    return Parallel(
        active.value, most.value, completed.value, stale=all_stale((active, most, completed))
    )


def _agents(inp: FoldInput) -> Agents:
    roster = lookup(inp, "genesis/agents")
    online_now = select([roster], lambda r: r.online)
    at_work = select([roster], lambda r: r.active)
    if at_work.state is None:
        at_work = select([lookup(inp, "microscheduler/vram_status")], lambda r: r.active_agents)
    return Agents(online_now.value, at_work.value, stale=all_stale((online_now, at_work)))


def _data_age(inp: FoldInput, fleet: EnginesSummary) -> float | None:
    """The age of the newest good answer of any source."""
    ages = [age(held, inp.now) for held in (*inp.held.values(), inp.nvml)] + [fleet.age_s]
    return min((seconds for seconds in ages if seconds is not None), default=None)
