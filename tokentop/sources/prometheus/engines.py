"""Targets -> engines: the same rules as when they are read directly, over what was scraped.

A router's series are marked so that nobody adds them to the engines' behind it.
"""

from collections.abc import Iterable

from tokentop.domain.engines.fleet_readings import FleetEngine
from tokentop.domain.engines.observation import Latency
from tokentop.domain.engines.rates import Rates
from tokentop.domain.engines.readings import Counters, EngineKind, EngineReading, TeamSpend
from tokentop.sources.engines.litellm import MAX_ACCOUNTS
from tokentop.sources.engines.origins import origins
from tokentop.sources.exposition import ratio, whole
from tokentop.sources.prometheus.queries import RUNNING
from tokentop.sources.prometheus.targets import Labelled, Target, label, shown

ABSENT = ("", "None")
PREFILL = ("prefill_compute", "prefill_cache")
ASLEEP = "vllm:engine_sleep_state"


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
    reading = _reading(target) if target.up else _named(target)
    engine = FleetEngine(
        id=_id(target.kind, labels),
        kind=target.kind,
        instance=instance,
        group=_group(target, group_by),
        model=reading.model,
        reading=reading,
        age_s=target.age_s,
        up=target.up,
        place=shown(label(labels, "instance")) or "",
    )
    if not target.up:
        return engine
    return engine._replace(
        rates=_rates(target, window_s),
        latency=Latency(*(target.added(letter) for letter in ("t50", "i50", "t95", "i95"))),
    )


def _id(kind: EngineKind, labels: dict[str, str]) -> str:
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
    rows = [labels for each in target.samples.values() for labels, _ in each] or [target.labels]
    names = {labels.get(group_by) or labels.get(f"exported_{group_by}", "") for labels in rows}
    return shown(", ".join(sorted(names - {""})[:4]))


def _named(target: Target) -> EngineReading:
    """What is known of an engine without its figures."""
    rows = [labels for name in RUNNING for labels, _ in target.samples.get(name, ())]
    names = [
        label(labels, "model_name") or labels.get("name") or labels.get("model", "")
        for labels in rows
    ]
    models = tuple(dict.fromkeys(name for each in names if (name := shown(each))))
    return EngineReading(
        target.kind,
        model=models[0] if models else None,
        models=models or None,
        router=_routes(target),
        backends=origins(labels.get("server", "") for labels in rows),
    )


def _routes(target: Target) -> bool:
    """LiteLLM, and a vLLM router that repeats its servers' series."""
    rows = target.samples.get(RUNNING[0], ())
    return target.kind == "litellm" or (bool(rows) and all("server" in row for row, _ in rows))


def _reading(target: Target) -> EngineReading:
    reading = _FIGURES[target.kind](target, _named(target))
    asleep = ASLEEP in target.samples
    return reading._replace(
        counters=_totals(target),
        health="asleep" if asleep else "online",
        advice="The model sleeps; POST /wake_up wakes it." if asleep else None,
    )


def _vllm(target: Target, named: EngineReading) -> EngineReading:
    return named._replace(
        active=whole(target.total("vllm:num_requests_running")),
        queued=whole(target.total("vllm:num_requests_waiting")),
        kv_cache=ratio(target.highest("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc")),
    )


def _sglang(target: Target, named: EngineReading) -> EngineReading:
    active = whole(_over_ranks(target.samples.get("sglang:num_running_reqs", [])))
    rate = _over_ranks(target.samples.get("sglang:gen_throughput", []))
    return named._replace(
        active=active,
        queued=whole(_over_ranks(target.samples.get("sglang:num_queue_reqs", []))),
        kv_cache=ratio(target.highest("sglang:token_usage")),
        # The last window's figure lingers on a drained server.
        generation_tokens_per_s=0.0 if active == 0 else rate,
    )


def _llamacpp(target: Target, named: EngineReading) -> EngineReading:
    return named._replace(
        active=whole(target.total("llamacpp:requests_processing")),
        queued=whole(target.total("llamacpp:requests_deferred")),
        kv_cache=ratio(target.highest("llamacpp:kv_cache_usage_ratio")),
    )


def _tgi(target: Target, named: EngineReading) -> EngineReading:
    held = target.total("tgi_batch_current_max_tokens")
    room = target.total("tgi_batch_max_total_tokens")
    usage = ratio(held / room) if held is not None and room else None
    return named._replace(
        active=whole(target.total("tgi_batch_current_size")),
        queued=whole(target.total("tgi_queue_size")),
        kv_cache=usage,
        kv_estimated=usage is not None,  # the batch's token budget, not the cache itself
    )


def _litellm(target: Target, named: EngineReading) -> EngineReading:
    in_flight = whole(target.total("litellm_in_flight_requests"))
    return named._replace(
        active=None if in_flight is None else max(0, in_flight - 1),  # the scrape itself is one
        spend=_accounts([*target.sums.get("$", ()), *target.sums.get("#", ())]),
    )


_FIGURES = {
    "vllm": _vllm, "sglang": _sglang, "llamacpp": _llamacpp, "tgi": _tgi, "litellm": _litellm,
}  # fmt: skip


def _over_ranks(rows: Labelled) -> float | None:
    """The highest of each data-parallel rank, added; the row without a priority is the total."""
    if any(not labels.get("priority") for labels, _ in rows):
        rows = [row for row in rows if not row[0].get("priority")]
    ranks: dict[tuple[str, ...], float] = {}
    for labels, value in rows:
        key = tuple(labels.get(name, "") for name in ("model_name", "dp_rank", "priority"))
        ranks[key] = max(ranks.get(key, value), value)
    return sum(ranks.values()) if ranks else None


def _rates(target: Target, window_s: int) -> Rates:
    prompt, generated = target.by("p", "mode"), target.by("g", "mode")
    requests = target.added("r")
    return Rates(
        _live(prompt, PREFILL),
        _live(generated, ("decode",)),
        requests,
        window=_window(target, prompt, requests, window_s),
    )


def _live(by_mode: dict[str, float], modes: tuple[str, ...]) -> float | None:
    """SGLang's live counters, else those that move when a request ends; never both."""
    live = [by_mode[mode] for mode in modes if mode in by_mode]
    return sum(live) if live else by_mode.get("")


def _window(
    target: Target, prompt: dict[str, float], requests: float | None, window_s: int
) -> Counters:
    ended = target.by("f", "finished_reason")
    cached = prompt.get("prefill_cache")
    lookups = target.added("k") if cached is None else _live(prompt, PREFILL)
    per_s = Counters(
        requests=requests,
        preemptions=target.added("v"),
        rejections=target.added("j"),
        prefix_queries=lookups,
        prefix_hits=target.added("h") if cached is None else cached,
        stop=ended.get("stop"),
        length=ended.get("length"),
        abort=target.added("a") if target.kind == "sglang" else ended.get("abort"),
        error=target.added("e") if target.kind == "tgi" else ended.get("error"),
    )
    return Counters(*(None if rate is None else rate * window_s for rate in per_s))


def _totals(target: Target) -> Counters:
    ended = target.by("F", "finished_reason")
    return Counters(
        preemptions=target.added("V"),
        requests=sum(ended.values()) if ended else None,
        stop=ended.get("stop"),
        length=ended.get("length"),
        abort=ended.get("abort"),
        error=ended.get("error"),
    )


def _accounts(rows: Labelled) -> tuple[TeamSpend, ...]:
    """What each team and key has spent since the router started, the dearest first."""
    sums: dict[tuple[str, str], dict[str, float]] = {}
    for labels, value in rows:
        team = labels.get("team_alias", "")
        team = labels.get("team", "") if team in ABSENT else team
        key = labels.get("api_key_alias", "")
        who = tuple("" if name in ABSENT else shown(name) or "" for name in (team, key))
        account = sums.setdefault((who[0], who[1]), {})
        account[labels["q"]] = account.get(labels["q"], 0.0) + value
    found = [TeamSpend(*who, one.get("$"), one.get("#")) for who, one in sums.items()]
    found.sort(key=lambda row: (-(row.usd or 0.0), -(row.tokens or 0.0), row.team, row.key))
    return tuple(found[:MAX_ACCOUNTS])
