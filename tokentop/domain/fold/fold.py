"""Readings + the time -> Snapshot: preference chains, matching by UUID, staleness.

For every figure the sources are looked up in the order of preference; those whose latest poll
succeeded come first; the last good value of one that failed is the last resort.
"""

from tokentop.domain.economy import capacity as scaling
from tokentop.domain.economy.pricing import pricing
from tokentop.domain.engines.summary import EnginesSummary, combined_slots
from tokentop.domain.fold.cloud import cloud, ended_by_stack, rental_lists
from tokentop.domain.fold.gpus import gpus
from tokentop.domain.fold.inputs import (
    FoldInput,
    Selected,
    ServiceObservation,
    SourceState,
    age,
    aged,
    all_stale,
    lookup,
    oldest,
    select,
)
from tokentop.domain.fold.question import QUEUE_KEYS, question
from tokentop.domain.fold.services import online, services
from tokentop.domain.gpu_pool import counted
from tokentop.domain.numbers import ratio
from tokentop.domain.readings import OffersReading, PressureReading, QueueReading, RatesReading
from tokentop.domain.snapshot import (
    Capacity,
    Demand,
    Gpu,
    Llm,
    Pricing,
    Snapshot,
)
from tokentop.domain.snapshot_stack import Agents, Mint, Parallel
from tokentop.domain.verdict.stack import StackLoad
from tokentop.domain.verdict.verdict import Memory, Question, Verdict, verdict

__all__ = ["FoldInput", "ServiceObservation", "fold_with_memory"]


def fold_with_memory(inp: FoldInput) -> tuple[Snapshot, Memory]:
    """One snapshot of everything held; the safe zero state where nothing has answered.

    With it what the next fold's verdict compares with (FoldInput.before).
    """
    engines, rented = _engines(inp), cloud(inp)
    slots = combined_slots(llm(inp), _queue_answers(inp), engines.llm)
    rows = services(inp)
    asked = question(inp, engines, rows, slots)
    judged = verdict(asked)
    need = _demand(judged, asked, slots)
    rates = _rates(inp)
    price = _price(inp, need, rates)
    snapshot = Snapshot(
        version=inp.version,
        at=inp.at,
        host=inp.host,
        interval_s=inp.interval_s,
        demo=inp.demo,
        services_online=online(inp),
        services=(*rows, *engines.services),
        gpus=engines.gpus,
        llm=slots,
        throughput=engines.throughput,
        engines=engines.engines,
        demand=need,
        pricing=price,
        capacity=_capacity(inp, engines.gpus, need, ended_by_stack(rented), rates),
        cloud=rented,
        mint=_mint(inp, price, rates),
        parallel=_parallel(inp),
        agents=_agents(inp),
        data_age_s=_data_age(inp, engines),
        health=judged.health,
    )
    return snapshot, judged.memory


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
        age_s=oldest(selections),
        stale=all_stale(selections),
    )


def _by_name(name: str) -> tuple[str, str]:
    # Servers list models in the order of a set; chips that change places cannot be read.
    return name.casefold(), name


def _engines(inp: FoldInput) -> EnginesSummary:
    if not inp.engines:
        return EnginesSummary(gpus=gpus(inp))
    from tokentop.domain.engines.aggregate import summarize  # loaded only with an engine

    counts_length = inp.policy.cost.burn_counts_length
    return summarize(inp.engines, gpus(inp), inp.host, inp.pooled, burn_counts_length=counts_length)


def _queue_answers(inp: FoldInput) -> bool:
    return any(lookup(inp, key).fresh for key in QUEUE_KEYS)


def _back_pressure(states: list[SourceState]) -> bool | None:
    """True when any fresh source reports it; stale ones count only where none is fresh."""
    heard = [state for state in states if state.fresh] or states
    said = [s.good.back_pressure for s in heard if isinstance(s.good, QueueReading)]
    known = [value for value in said if value is not None]
    return any(known) if known else None


def _demand(judged: Verdict, asked: Question, slots: Llm) -> Demand:
    """The verdict's demand, with the pressures of the pool whose figures are the whole's."""
    pool = judged.fullest
    stack = (
        asked.stack if pool is None or (asked.stack and pool.model == asked.stack.model) else None
    )
    memory, queue = (stack.memory, stack.queue) if stack else (None, None)
    if pool is not None and stack is None:
        memory, queue = pool.kv_cache, ratio(pool.queued, pool.max_slots)
    return Demand(
        memory_pressure=memory,
        queue_pressure=queue,
        utilization=pool.utilization if pool else None,
        tier=judged.tier,
        message=judged.message,
        mode=judged.mode,
        back_pressure=_limited(asked.stack, slots),
        source=judged.source,
        profile=stack.profile if stack else "serving" if pool else "vram",
        stale=bool(pool and stack and stack.stale),
        age_s=judged.age_s,
        reasons=judged.reasons,
        pools=judged.pools,
        headline=judged.headline,
        at_least=bool(pool and pool.at_least),
    )


def _limited(stack: StackLoad | None, slots: Llm) -> bool | None:
    """Whether anything reports back-pressure; None where nothing says anything about it."""
    reported = None if stack is None or stack.reporters is None else bool(stack.reporters)
    answers = [answer for answer in (reported, slots.back_pressure) if answer is not None]
    return any(answers) if answers else None


def _pressure(inp: FoldInput) -> tuple[PressureReading | None, bool]:
    state = lookup(inp, "acta/compute_pressure")
    return (state.good if isinstance(state.good, PressureReading) else None), state.fresh


def _acta(inp: FoldInput, need: Demand) -> PressureReading | None:
    """ACTA's reading where the price may follow it: it answers, or the demand is its last word."""
    acta, fresh = _pressure(inp)
    return acta if fresh or need.source == "acta" else None


def _price(inp: FoldInput, need: Demand, rates: RatesReading | None) -> Pricing:
    """The price at the present demand, with the age of the oldest of what it follows from."""
    price = pricing(
        inp.policy.pricing, need, acta=_acta(inp, need), rates=rates, priced=_priced(inp)
    )
    used = [(need.age_s, need.stale)]
    if rates is not None:
        state = lookup(inp, "mint/mint_rates")
        used.append((state.age_s, not state.fresh))
    age_s, stale = aged(used)
    return price._replace(age_s=age_s, stale=stale)


def _rates(inp: FoldInput) -> RatesReading | None:
    good = lookup(inp, "mint/mint_rates").good
    return good if isinstance(good, RatesReading) else None


def _priced(inp: FoldInput) -> bool:
    """Whether the stack has answered; a fleet's GPUs are held beside it and price nothing."""
    stack = (lookup(inp, key) for one in inp.services if one.kind == "aither" for key in one.keys)
    return inp.priced or any(state.good is not None for state in stack)


def _capacity(
    inp: FoldInput,
    pool: tuple[Gpu, ...],
    need: Demand,
    active: int | None,
    rates: RatesReading | None,
) -> Capacity:
    lists, rules = rental_lists(inp, "compute/cloud_offers", OffersReading), inp.policy.capacity
    lists = [one for one in lists if one.fresh] or lists
    found = scaling.capacity(
        inp.policy,
        need,
        offers=[o for one in lists if isinstance(one.good, OffersReading) for o in one.good.offers],
        vram=scaling.vram_needed(rules, (g for g in counted(pool) if g.node == inp.host)),
        rates=rates,
        below_since=scaling.below_since(inp.below_since, need.utilization, active, inp.now, rules),
        now=inp.now,
    )
    used = [(need.age_s, need.stale)]
    if found.next_instance.source == "offer":
        used += [(one.age_s, not one.fresh) for one in lists]
    age_s, stale = aged(used)
    return found._replace(age_s=age_s, stale=stale)


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
        age_s=oldest(selections),
        stale=all_stale(selections),
    )


def _parallel(inp: FoldInput) -> Parallel:
    states = [lookup(inp, "parallel/streams_stats")]
    active = select(states, lambda r: r.active_streams)
    most = select(states, lambda r: r.max_streams)
    completed = select(states, lambda r: r.completed_total)
    used = (active, most, completed)
    return Parallel(
        active.value, most.value, completed.value, age_s=oldest(used), stale=all_stale(used)
    )


def _agents(inp: FoldInput) -> Agents:
    roster = lookup(inp, "genesis/agents")
    online_now = select([roster], lambda r: r.online)
    at_work = select([roster], lambda r: r.active)
    if at_work.state is None:
        at_work = select([lookup(inp, "microscheduler/vram_status")], lambda r: r.active_agents)
    used = (online_now, at_work)
    return Agents(online_now.value, at_work.value, age_s=oldest(used), stale=all_stale(used))


def _data_age(inp: FoldInput, engines: EnginesSummary) -> float | None:
    """The age of the newest good answer of any source."""
    ages = [age(held, inp.now) for held in (*inp.held.values(), inp.nvml)] + [engines.age_s]
    return min((seconds for seconds in ages if seconds is not None), default=None)
