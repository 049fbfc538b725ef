"""A Prometheus server that has scraped the simulated fleet: it answers our own queries."""

import json
from collections.abc import Callable, Iterator
from functools import cache

from tokentop.demo.answers import Answer
from tokentop.demo.counters import (
    E2E_S,
    ITL_S,
    QUEUE_S,
    TTFT_S,
    buckets,
    ended,
    quantile,
)
from tokentop.demo.engine_answers import BOOTED_AT
from tokentop.demo.engines import Load
from tokentop.demo.fleet import GPUS_EACH, NODES, ON_NODE, Target, age_s, is_up, load_of, targets
from tokentop.demo.hardware import H200, uuid
from tokentop.demo.noise import drift, uniform
from tokentop.light_typing import Final
from tokentop.sources.prometheus.queries import LATENCY, LONG_WINDOW_S, QUANTILES, WINDOW_S, queries

_UPTIME_S: Final = 86_400.0
_GAUGES: Final = {
    "vllm": ("vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc"),
    "sglang": ("sglang:num_running_reqs", "sglang:num_queue_reqs", "sglang:token_usage"),
}

Row = tuple[dict[str, str], float]


def prometheus_answer(url: str, t: float, seed: int, group_by: str | None) -> Answer:
    """The answer to one instant query; those that are not ours find nothing."""
    from urllib.parse import parse_qs  # not above: only the fleet pays for it

    asked = parse_qs(url.partition("?")[2]).get("query", [""])[0]
    make = _ROWS.get(_names(group_by).get(asked, ""))
    at = round(BOOTED_AT + t, 3)
    rows = make(t, seed) if make is not None else ()
    result = [{"metric": labels, "value": [at, f"{value:.13g}"]} for labels, value in rows]
    body = {"status": "success", "data": {"resultType": "vector", "result": result}}
    return Answer(200, json.dumps(body).encode())


@cache
def _names(group_by: str | None) -> dict[str, str]:
    """Each query's name by its text."""
    windows = (WINDOW_S, LONG_WINDOW_S)
    return {text: name for window in windows for name, text in queries(group_by, window)}


def _up(t: float, seed: int) -> Iterator[tuple[Target, Load]]:
    return ((one, load_of(one, t, seed)) for one in targets() if is_up(one, t))


def _gauges(t: float, seed: int) -> Iterator[Row]:
    for target, load in _up(t, seed):
        values = (load.active, load.queued, load.kv_cache)
        for name, value in zip(_GAUGES[target.engine.kind], values, strict=True):
            yield {"__name__": name, **target.labels}, value


def _ages(t: float, seed: int) -> Iterator[Row]:
    for target, _ in _up(t, seed):
        yield target.labels, round(BOOTED_AT + t - age_s(target, t), 3)


def _down(t: float, seed: int) -> Iterator[Row]:
    for target in targets():
        if not is_up(target, t):
            name = _GAUGES[target.engine.kind][0]
            yield {"__name__": name, **target.labels}, load_of(target, t, seed).active


def _rates(t: float, seed: int) -> Iterator[Row]:
    for target, load in _up(t, seed):
        live = "live_" if target.engine.kind == "sglang" else ""
        rates = {
            f"{live}prompt_tokens": load.requests_per_s * target.engine.prompt,
            f"{live}generation_tokens": load.tokens_per_s,
            "requests": load.requests_per_s,
        }
        yield from (({**target.labels, "figure": name}, rate) for name, rate in rates.items())


def _events(t: float, seed: int) -> Iterator[Row]:
    for target, load in _up(t, seed):
        queried = load.requests_per_s * target.engine.prompt
        found = {"prefix_queries": queried, "prefix_hits": 0.46 * queried, "preemptions": 0.0}
        yield from (({**target.labels, "figure": name}, rate) for name, rate in found.items())
        yield from _by_reason(target, "finished", ended(load))


def _totals(t: float, seed: int) -> Iterator[Row]:
    for target, load in _up(t, seed):
        yield {**target.labels, "figure": "preemptions_total"}, 0.0
        counts = {reason: rate * (_UPTIME_S + t) for reason, rate in ended(load).items()}
        yield from _by_reason(target, "finished_total", counts)


def _by_reason(target: Target, figure: str, values: dict[str, float]) -> Iterator[Row]:
    """SGLang counts only those that were aborted."""
    if target.engine.kind == "vllm":
        for reason, value in values.items():
            yield {**target.labels, "figure": figure, "finished_reason": reason}, value
    elif figure == "finished":
        yield {**target.labels, "figure": "abort"}, values["abort"]


def _merged(t: float, seed: int) -> Iterator[Row]:
    """Buckets of each model over all its engines, as rates."""
    sums: dict[tuple[str, str, str], float] = {}
    for target, load in _up(t, seed):
        for figure, (bounds, median_s, rate) in _latencies(load).items():
            counts = buckets(bounds, median_s, rate)
            for bound, count in zip((*map(str, bounds), "+Inf"), counts, strict=True):
                key = (figure, target.engine.model, bound)
                sums[key] = sums.get(key, 0.0) + count
    for (figure, model, bound), count in sums.items():
        yield {"figure": figure, "model_name": model, "le": bound}, count


def _latencies(load: Load) -> dict[str, tuple[tuple[float, ...], float, float]]:
    """(bounds, median in seconds, observations a second) of each histogram."""
    return {
        "ttft": (TTFT_S, load.ttft_s, load.requests_per_s),
        "itl": (ITL_S, load.itl_s, load.tokens_per_s),
        "e2e": (E2E_S, load.e2e_s, load.requests_per_s),
        "queue": (QUEUE_S, load.queue_s, load.requests_per_s),
    }


def _quantiles(figures: tuple[str, ...]) -> Callable[[float, int], Iterator[Row]]:
    def rows(t: float, seed: int) -> Iterator[Row]:
        for target, load in _up(t, seed):
            for figure, (_, median_s, _) in _latencies(load).items():
                for name, q in QUANTILES.items() if figure in figures else ():
                    labels = {**target.labels, "figure": f"{figure}_{name}"}
                    yield labels, quantile(q, median_s)

    return rows


def _gpus(t: float, seed: int) -> Iterator[Row]:
    for number in range(NODES * ON_NODE * GPUS_EACH):
        target = targets()[number // GPUS_EACH]
        up = is_up(target, t)
        busy = load_of(target, t, seed).busy if up else 0.0
        active = min(1.0, 0.35 + 0.62 * busy + 0.02 * drift(seed, 900 + number, t)) * up
        used = int(H200.vram_mib * (0.84 + 0.08 * uniform(0, 900 + number, 0) if up else 0.004))
        labels = {
            "UUID": uuid(100 + number), "gpu": str(number % (ON_NODE * GPUS_EACH)),
            "modelName": H200.name, "Hostname": target.node,
        }  # fmt: skip
        figures = {
            "FB_USED": used, "FB_FREE": H200.vram_mib - used,
            "GPU_UTIL": round(100 * active), "GPU_TEMP": round(33 + 36 * active),
            "POWER_USAGE": H200.idle_w + (H200.limit_w - H200.idle_w) * 0.88 * active,
            "POWER_MGMT_LIMIT": H200.limit_w,
        }  # fmt: skip
        yield from (({"__name__": f"DCGM_FI_DEV_{n}", **labels}, v) for n, v in figures.items())


_ROWS: Final[dict[str, Callable[[float, int], Iterator[Row]]]] = {
    "gauges": _gauges,
    "ages": _ages,
    "down": _down,
    "rates": _rates,
    "events": _events,
    "totals": _totals,
    "merged": _merged,
    "gpus": _gpus,
    **{name: _quantiles(figures) for name, figures in LATENCY.items()},
}
