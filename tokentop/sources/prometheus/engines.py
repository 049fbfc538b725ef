"""Targets -> engines: gauges are read by the engines' own files, rates by the figures' names.

A router's series are marked so that they are not added to those of the engines behind it.
"""

from collections.abc import Iterable, Mapping

from tokentop.domain.engines.bounded import bounded
from tokentop.domain.engines.fleet_readings import FleetEngine
from tokentop.domain.engines.rates import Rates
from tokentop.domain.engines.readings import Counters, EngineKind, EngineReading, Histograms
from tokentop.domain.numbers import total
from tokentop.domain.snapshot_engines import Latencies, Quantiles
from tokentop.sources.engines.litellm import accounts
from tokentop.sources.engines.registry import spec
from tokentop.sources.engines.series import merged
from tokentop.sources.metrics_page import Page
from tokentop.sources.prometheus.queries import QUANTILES
from tokentop.sources.prometheus.targets import Target, label, shown


def engines(
    targets: Iterable[Target], group_by: str | None, window_s: int
) -> tuple[FleetEngine, ...]:
    """Every target as an engine, in the order of groups and instances."""
    found = [_engine(target, group_by, window_s) for target in targets]
    found.sort(key=lambda e: (e.group or "", e.instance, e.kind))
    return _unique(found)


def _engine(target: Target, group_by: str | None, window_s: int) -> FleetEngine:
    labels = target.labels
    instance = shown(labels.get("pod") or label(labels, "instance")) or "?"
    reading = bounded(_reading(target))
    engine = FleetEngine(
        id=_id(target.kind, labels),
        kind=target.kind,
        instance=instance,
        group=_group(target, group_by),
        model=reading.model,
        reading=reading,
        age_s=target.age_s,
        up=target.up,
        mixed=tuple(sorted(target.others)),
        place=shown(label(labels, "instance")) or "",
    )
    if not target.up or target.others:
        return engine
    return engine._replace(
        rates=_rates(target, window_s),
        latencies=_latencies(target),
    )


def _id(kind: EngineKind, labels: Mapping[str, str]) -> str:
    place = label(labels, "instance") or labels.get("pod", "")
    cluster = labels.get("cluster", "")
    return f"{kind}@{shown(f'{cluster}/{place}' if cluster else place) or '?'}"


def _unique(found: list[FleetEngine]) -> tuple[FleetEngine, ...]:
    """Two targets of one address (two jobs) keep apart by a number."""
    seen: dict[str, int] = {}
    unique = []
    for engine in found:
        seen[engine.id] = count = seen.get(engine.id, 0) + 1
        unique.append(engine if count == 1 else engine._replace(id=f"{engine.id}#{count}"))
    return tuple(unique)


def _group(target: Target, group_by: str | None) -> str | None:
    """The picked label; several models on one server are one group of their names."""
    if group_by is None:
        return None
    samples = [each for rows in target.samples.values() for each in rows]
    rows = [each.labels for each in samples] or [target.labels]
    names = {labels.get(group_by) or labels.get(f"exported_{group_by}", "") for labels in rows}
    return shown(", ".join(sorted(names - {""})[:4]))


def _reading(target: Target) -> EngineReading:
    """The figures of an engine; of one that cannot be scraped its names and place only."""
    facts, named = spec(target.kind), _named(target)
    assert facts.read_gauges is not None  # targets are known by their series
    reading = facts.read_gauges(named, Page(target.samples))
    if not target.up or target.others:
        return named._replace(router=reading.router, backends=reading.backends)
    spent, used = (target.sums.get(name, ()) for name in ("spend_usd", "spend_tokens"))
    return reading._replace(
        counters=_totals(target),
        spend=accounts(spent, used),
        bad=merged(reading.bad, target.bad),
    )


def _named(target: Target) -> EngineReading:
    series = spec(target.kind).series
    rows = target.samples.get(series.presence, ()) if series is not None else ()
    names = (
        label(row.labels, "model_name") or row.labels.get("name") or row.labels.get("model", "")
        for row in rows
    )
    models = tuple(dict.fromkeys(name for each in names if (name := shown(each))))
    return EngineReading(target.kind, model=models[0] if models else None, models=models or None)


def _latencies(target: Target) -> Latencies:
    return Latencies(
        *(
            Quantiles(*(target.figure(f"{figure}_{name}") for name in QUANTILES))
            for figure in Histograms._fields
        )
    )


def _rates(target: Target, window_s: int) -> Rates:
    """Tokens as they are made, where the engine counts them so, else as requests end."""
    live_prompt, live = target.figure("live_prompt_tokens"), target.figure("live_generation_tokens")
    return Rates(
        target.figure("prompt_tokens") if live_prompt is None else live_prompt,
        target.figure("generation_tokens") if live is None else live,
        _ended(target),
        window=_window(target, window_s),
    )


def _ended(target: Target) -> float | None:
    """Requests that ended, per second: all, or those that ended well and the others added."""
    series = spec(target.kind).series
    if series is None or not series.succeeded:
        return target.figure("requests")
    return total(target.figure(name) for name in ("succeeded", "abort", "error"))


def _window(target: Target, window_s: int) -> Counters:
    """What was counted in the window; its tokens are the rates' matter."""
    ended = target.by_label("finished", "finished_reason")
    per_s = Counters(
        requests=_ended(target),
        preemptions=target.figure("preemptions"),
        rejections=target.figure("rejections"),
        prefix_queries=target.figure("prefix_queries"),
        prefix_hits=target.figure("prefix_hits"),
        stop=ended.get("stop"),
        length=ended.get("length"),
        abort=ended.get("abort", target.figure("abort")),
        error=ended.get("error", target.figure("error")),
    )
    return Counters(*(None if rate is None else rate * window_s for rate in per_s))


def _totals(target: Target) -> Counters:
    """Counts since the server started."""
    ended = target.by_label("finished_total", "finished_reason")
    return Counters(
        preemptions=target.figure("preemptions_total"),
        requests=sum(ended.values()) if ended else None,
        stop=ended.get("stop"),
        length=ended.get("length"),
        abort=ended.get("abort"),
        error=ended.get("error"),
    )
