"""Figures as text: rates, latencies, prices, slots, states; unknown is a dash everywhere."""

from collections.abc import Iterable

from tokentop.domain.policy import BudgetUnit
from tokentop.domain.snapshot import Demand, Snapshot
from tokentop.domain.snapshot_engines import Engine, rates_at_least
from tokentop.domain.text import (
    BOUND_SIGNS,
    DASH,
    approx,
    clean,
    fmt_count,
    fmt_percent,
    fmt_usd,
    known,
)
from tokentop.views.tui.draw.kit.line import DrawOptions

_ASCII_SIGNS = {"at-least": ">=", "at-most": "<=", "about": "~"}
_SHORT_STATES = {
    "auth-required": "auth",
    "backing-off": "backoff",
    "names-only": "names",
    "no-metrics": "no stats",
    "starting": "starts",
}


def rate(value: float | None, sign: str = "") -> str:
    """A rate per second in five cells: `0.42`, `6.4`, `1284`, `12.3k`, `279k`; a lower bound's sign
    comes before it, `≥61`.
    """
    if not known(value):
        return DASH
    if 0 < value < 1:
        return f"{sign}{value:.2f}"
    if 99_950 <= value < 999_950:
        return f"{sign}{value / 1000:.0f}k"
    return sign + (f"{value:.0f}" if 100 <= value < 10_000 else fmt_count(value))


def lower_bound(engines: Iterable[Engine], options: DrawOptions) -> str:
    """The sign before tokens/s that are a lower bound: `≥`, in ASCII `>=`, else nothing."""
    return at_least(options, holds=rates_at_least(engines))


def demand_sign(demand: Demand, options: DrawOptions) -> str:
    """The same before a demand that is a lower bound."""
    return at_least(options, holds=demand.at_least and demand.utilization is not None)


def at_least(options: DrawOptions, *, holds: bool) -> str:
    """The sign of a lower bound, where there is one."""
    return (_ASCII_SIGNS if options.ascii else BOUND_SIGNS)["at-least"] if holds else ""


def prices(snapshot: Snapshot, options: DrawOptions) -> dict[str, str]:
    """The cost figures as money by field name, each with the sign of the side the truth lies on."""
    cost = snapshot.cost
    signs = _ASCII_SIGNS if options.ascii else BOUND_SIGNS
    bounds = cost.bounds._asdict()
    money = {name: fmt_usd(getattr(cost, name)) for name in bounds}
    return {n: m if m == DASH or not bounds[n] else signs[bounds[n]] + m for n, m in money.items()}


def span(seconds: float | None) -> str:
    """A latency with its unit: `8.4 ms`, `212 ms`, `1.8 s`."""
    if not known(seconds):
        return DASH
    if seconds >= 1:
        return f"{seconds:.1f} s" if seconds < 1000 else f"{fmt_count(seconds)} s"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"


def spans(*quantiles: float | None) -> str:
    """Quantiles of one latency: `212/480 ms`; each with its unit where those differ."""
    *first, last = texts = [span(each) for each in quantiles]
    if len({text.partition(" ")[2] for text in texts}) == 1:
        first = [text.partition(" ")[0] for text in first]
    return DASH if {*texts} == {DASH} else "/".join((*first, last))


def per_hour(amount: float | None) -> str:
    """USD per hour: `$0.42/h`."""
    return f"{fmt_usd(amount)}/h" if known(amount) else DASH


def amount(value: float | None, unit: BudgetUnit) -> str:
    """What a budget counts, dollars with their sign and the others bare: `$12.40`, `4.2M`."""
    return fmt_usd(value) if unit == "usd" else fmt_count(value)


def share(fraction: float | None, *, about: bool = False) -> str:
    """A ratio as per cent, with `≈` where it is estimated."""
    return approx(fmt_percent(fraction), about)


def engine_name(engine: Engine) -> str:
    """What an engine is called: its model, else its configured name, else its address."""
    return clean(engine.model or engine.name or engine.id, 80)


def state(engine: Engine) -> str:
    """The engine's state in a word; a router that is online is `router`."""
    return "router" if engine.router and engine.state == "online" else engine.state


def state_words(state: str) -> tuple[str, ...]:
    """A state's name, then a shorter word for a narrow cell where it is long."""
    return (state, _SHORT_STATES[state]) if state in _SHORT_STATES else (state,)


def slots(engine: Engine) -> str:
    """Active of all slots: `26/32`, `12/≈16` estimated, `12 of —`; a dash where none is known."""
    active = DASH if engine.active is None else fmt_count(engine.active)
    if engine.max_slots is None:
        return DASH if engine.active is None else f"{active} of {DASH}"
    return f"{active}/{approx(fmt_count(engine.max_slots), engine.slots_estimated)}"
