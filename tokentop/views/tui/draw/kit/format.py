"""Figures of engines in words: rates, latencies, money; unknown is a dash everywhere."""

from collections.abc import Iterable

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import Engine
from tokentop.domain.text import DASH, clean, fmt_count, fmt_percent, fmt_usd, known
from tokentop.views.tui.draw.kit.line import DrawOptions

_SHORT_STATES = {
    "auth-required": "auth",
    "backing-off": "backoff",
    "names-only": "names",
    "no-metrics": "no stats",
    "starting": "starts",
}


def rate(value: float | None, floor: str = "") -> str:
    """Something a second: `0.42`, `6.4`, `1284`, `12.3k`; `≥61` behind a lower bound's sign."""
    if not known(value):
        return DASH
    if 0 < value < 1:
        return f"{floor}{value:.2f}"
    return floor + (f"{value:.0f}" if 100 <= value < 10_000 else fmt_count(value))


def floor(engines: Iterable[Engine], options: DrawOptions) -> str:
    """The sign before tokens/s that hold an uncounted rest: `≥`, in ASCII `>=`, else nothing."""
    if not any(e.rate_at_least and e.state == "online" for e in engines):
        return ""
    return ">=" if options.ascii else "≥"


def prices(snapshot: Snapshot, options: DrawOptions) -> dict[str, str]:
    """The cost figures in money by field name, with `≥` where electricity is missing from them.

    Where tokens are missing too, a token's price is a bound to neither side and takes no sign.
    """
    cost, sign = snapshot.cost, ">=" if options.ascii else "≥"
    whole = not cost.partial and not floor(snapshot.engines, options)
    bounded = {
        "usd_per_hour": cost.rate_at_least,
        "usd_per_mtok_reserved": cost.reserved_at_least and whole,
        "usd_per_mtok_busy": cost.busy_at_least and whole,
        "usd_per_mtok_best": cost.rate_at_least and whole,
    }
    said = {name: fmt_usd(getattr(cost, name)) for name in bounded}
    return {n: sign + s if bounded[n] and s != DASH else s for n, s in said.items()}


def span(seconds: float | None) -> str:
    """A latency with its unit: `8.4 ms`, `212 ms`, `1.8 s`."""
    if not known(seconds):
        return DASH
    if seconds >= 1:
        return f"{seconds:.1f} s" if seconds < 1000 else f"{fmt_count(seconds)} s"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"


def spans(median: float | None, p95: float | None) -> str:
    """Median and 95th percentile: `212/480 ms`, with both units where they differ."""
    low, high = span(median), span(p95)
    if low.partition(" ")[2] == high.partition(" ")[2]:
        low = low.partition(" ")[0]
    return DASH if low == high == DASH else f"{low}/{high}"


def per_hour(amount: float | None) -> str:
    """USD per hour: `$0.42/h`."""
    return f"{fmt_usd(amount)}/h" if known(amount) else DASH


def share(fraction: float | None, *, about: bool = False) -> str:
    """A ratio as per cent, with an about sign where it is estimated."""
    text = fmt_percent(fraction)
    return "≈" + text if about and text != DASH else text


def engine_name(engine: Engine) -> str:
    """What an engine is called: its model, else its configured name, else its address."""
    return clean(engine.model or engine.name or engine.id, 80)


def state(engine: Engine) -> str:
    """The engine's state in a word; a router that is well is called what it is."""
    return "router" if engine.router and engine.state == "online" else engine.state


def state_words(state: str) -> tuple[str, ...]:
    """A state's name and, where it is long, a shorter word for a narrow cell."""
    return (state, _SHORT_STATES[state]) if state in _SHORT_STATES else (state,)


def slots(engine: Engine) -> str:
    """Active of all slots: `26/32`, `12/≈16` estimated, `12 of —`; a dash where none is known."""
    active = DASH if engine.active is None else fmt_count(engine.active)
    if engine.max_slots is None:
        return DASH if engine.active is None else f"{active} of {DASH}"
    about = "≈" if engine.slots_estimated else ""
    return f"{active}/{about}{fmt_count(engine.max_slots)}"
