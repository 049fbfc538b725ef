"""The instant queries of one poll: as many for a thousand engines as for one.

Made of the engines' own series names (their SPEC). Each is aggregated to the labels that are read,
so that answers stay small, and takes the maximum over what repeats itself (SGLang's ranks, a pair
of Prometheus replicas) before it adds up. Several figures share an answer: each row
has its figure's name in the label `figure`.
https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
"""

from collections.abc import Iterable, Mapping
from functools import cache

from tokentop.domain.engines.readings import EngineKind
from tokentop.sources.engines.registry import specs
from tokentop.sources.engines.series import LATENCIES, Names, Series
from tokentop.sources.metrics_page import bucket_name, in_milliseconds

PATH = "/api/v1/query"
WINDOW_S = 60
LONG_WINDOW_S = 300  # where engines are scraped less often than twice a minute
LAST_SEEN = "15m"  # for so long an engine that cannot be scraped is shown as down
TOP_ACCOUNTS = 200

FIGURE = "figure"
INSTANCE = ("cluster", "job", "instance", "exported_job", "exported_instance")
SHOWN = ("pod", "model", "model_name", "exported_model_name", "name")
RENAMED = ("engine", "model_name")  # the server writes exported_ before, where a target has one too
DEVICE = ("UUID", "uuid", "gpu", "modelName", "Hostname", "GPU_I_ID", "GPU_I_PROFILE")

DCGM = (
    "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_FB_TOTAL",
    "DCGM_FI_DEV_FB_RESERVED", "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_PROF_GR_ENGINE_ACTIVE",
    "DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_POWER_MGMT_LIMIT",
    "dcgm_fb_used", "dcgm_fb_free", "dcgm_gpu_utilization", "dcgm_gpu_temp", "dcgm_power_usage",
)  # fmt: skip
SMI = (
    "nvidia_smi_memory_used_bytes", "nvidia_smi_memory_total_bytes",
    "nvidia_smi_utilization_gpu_ratio", "nvidia_smi_temperature_gpu",
    "nvidia_smi_power_draw_watts", "nvidia_smi_enforced_power_limit_watts", "nvidia_smi_gpu_info",
)  # fmt: skip

RATES = (
    "prompt_tokens", "generation_tokens", "live_prompt_tokens", "live_generation_tokens",
    "requests", "succeeded",
)  # fmt: skip
ROUTED = ("prompt_tokens", "generation_tokens", "succeeded", "error")
EVENTS = (
    "preemptions", "rejections", "prefix_queries", "prefix_hits", "finished", "abort", "error",
)  # fmt: skip
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
LATENCY = {  # the queries of their quantiles
    "latency": ("ttft", "e2e"),
    "latency_tokens": ("itl", "decode"),
    "latency_stages": ("queue", "prefill"),
}
TOTALS = {"preemptions_total": "preemptions", "finished_total": "finished"}
BY_REASON = ("finished_reason",)
BY_ACCOUNT = ("team_alias", "team", "api_key_alias")


class Window:
    """Builds the terms that cover the last `seconds`; `instance` are the labels of a target."""

    def __init__(self, seconds: int, instance: Names) -> None:
        self._for = f"[{seconds}s]"
        self._instance = instance

    def rates(self, names: Names) -> str:
        """Increases per second; where one engine has several of these series, the first."""
        return _either(f"rate({name}{self._for})" for name in spelled(names))

    def added(self, figures: Names, by: Names = ()) -> str:
        """The rates of these figures, added up over each target."""
        terms = (marked(figure, self.rates(_names(figure))) for figure in figures)
        return self._summed(_either(terms), figures, by)

    def routed(self, figures: Names) -> str:
        """The same of routers, whose series differ by user: nothing repeats itself there."""
        terms = (marked(f, self.rates(_names(f, routers=True))) for f in figures)
        return f"sum by({_list(self._instance, (FIGURE,))})({_either(terms)})"

    def totals(self, names: Mapping[str, str], by: Names = ()) -> str:
        """Counts since the servers started, as rows by these names of figures."""
        terms = (marked(name, _either(spelled(_names(figure)))) for name, figure in names.items())
        return self._summed(_either(terms), tuple(names.values()), by)

    def quantiles(self, figures: Names) -> str:
        """Every quantile of these figures."""
        found = ((f, name, q) for f in figures for name, q in QUANTILES.items())
        return _either(self.quantile(*each) for each in found)

    def quantile(self, figure: str, name: str, q: float) -> str:
        """A quantile for each target; comparing drops the NaN of those without observations."""
        found = f"sum by({_list(self._instance)},le)({self._buckets(figure)})"
        return marked(f"{figure}_{name}", f"histogram_quantile({q},{found})>=0")

    def quantile_of_all(self, figure: str, q: float) -> str:
        """A quantile over all engines together."""
        found = f"sum by(le)({self._buckets(figure)})"
        return f"histogram_quantile({q},{found})>=0"

    def generated(self) -> str:
        """Tokens generated per second by all engines; live counters where an engine has them."""
        figures = ("live_generation_tokens", "generation_tokens")
        terms = (self._summed(self.rates(_names(one)), (one,), ()) for one in figures)
        return f"sum({_either(terms)})"

    def merged(self, figure: str, by: Names) -> str:
        """Buckets over all replicas of a model: quantiles of these are right, means are not."""
        return marked(figure, f"sum by({_list(by)},le)({self._buckets(figure)})")

    def _summed(self, expression: str, figures: Names, by: Names) -> str:
        """Over each target, once for what several series repeat."""
        apart = _list(self._instance, _labels(figures), (FIGURE,))
        return f"sum by({_list(self._instance, (FIGURE,), by)})(max by({apart})({expression}))"

    def _buckets(self, figure: str) -> str:
        """Those in milliseconds are left out: one query has one unit."""
        bases = (base for base in _names(figure) if not in_milliseconds(base))
        return self.rates(tuple(map(bucket_name, bases)))


def gauge_of(figure: str, group_by: str | None) -> str:
    """A gauge of every engine, once for what several series repeat."""
    apart = _list(identity(group_by), series_labels())
    return f"max by({apart})({_either(spelled(_names(figure)))})"


def spelled(names: Names) -> Names:
    """The series under both their names: some client libraries escape the colon on the wire."""
    return (*names, *(one.replace(":", "_", 1) for one in names if ":" in one))


@cache
def gauges() -> Names:
    """Every gauge of every engine."""
    return tuple(dict.fromkeys(name for series in _scraped() for name in series.all_gauges()))


@cache
def kinds() -> dict[str, EngineKind]:
    """The kind of engine that has a gauge; of two that share one the first."""
    found: dict[str, EngineKind] = {}
    for one in specs():
        for name in one.series.all_gauges() if one.series is not None else ():
            found.setdefault(name, one.kind)
    return found


@cache
def plain_names() -> dict[str, str]:
    """Gauges by their name as it may come, with its colon or without."""
    awake = (name.partition("{")[0] for name in _names("awake"))
    return {each: name for name in (*gauges(), *awake) for each in spelled((name,))}


@cache
def series_labels() -> Names:
    """The labels that set series of one target apart."""
    labels = (name for series in _scraped() for name in (*series.labels, *series.gauge_labels))
    return tuple(dict.fromkeys(_with_renamed(labels)))


def marked(figure: str, expression: str) -> str:
    """The rows of `expression` with the name of their figure."""
    return f'label_replace({expression},"{FIGURE}","{figure}","","")'


@cache
def queries(group_by: str | None, window_s: int = WINDOW_S) -> tuple[tuple[str, str], ...]:
    """(name, PromQL) of everything in one poll."""
    return (*at_present(group_by), *over_window(group_by, window_s))


def at_present(group_by: str | None) -> tuple[tuple[str, str], ...]:
    """What is so now: gauges, ages, GPUs, and which engines cannot be scraped."""
    instance = identity(group_by)
    presence = tuple(series.presence for series in _scraped())
    apart = _list(("__name__",), instance, series_labels(), SHOWN)
    ages = _either(f"timestamp({name})" for name in spelled(presence))
    asleep = (f" or {name}==0" for name in spelled(_names("awake")))
    last = f"last_over_time({_any_of(presence)}[{LAST_SEEN}])"
    shown = _list(("__name__",), instance, SHOWN)
    return (
        ("gauges", f"max by({apart})({_any_of(gauges())}{''.join(asleep)})"),
        ("ages", f"max by({_list(instance)})({ages})"),
        ("down", f"max by({shown})({last} and on(cluster,job,instance) up==0)"),
        ("gpus", _gpus()),
    )


def over_window(group_by: str | None, window_s: int) -> tuple[tuple[str, str], ...]:
    """What happened in the last `window_s` seconds, and since the servers started."""
    instance = identity(group_by)
    over = Window(window_s, instance)
    by = ("model_name", *((group_by,) if group_by else ()))
    totals = (
        over.totals(TOTALS, BY_REASON),
        *(_accounts(figure, instance) for figure in ("spend_usd", "spend_tokens")),
    )
    return (
        ("rates", _either((over.added(RATES), over.routed(ROUTED)))),
        ("events", over.added(EVENTS, BY_REASON)),
        ("totals", _either(totals)),
        ("merged", _either(over.merged(figure, by) for figure in LATENCIES)),
        *((name, over.quantiles(figures)) for name, figures in LATENCY.items()),
    )


def path(promql: str) -> str:
    """The path below the server's URL (which may end in a prefix); below 8 kB by far."""
    from urllib.parse import quote

    return f"{PATH}?query={quote(promql, safe='(),:|')}"


def identity(group_by: str | None) -> Names:
    """The labels that identify a target, with the one to group by."""
    return tuple(dict.fromkeys((*INSTANCE, *((group_by,) if group_by else ()))))


def _scraped(*, routers: bool | None = None) -> tuple[Series, ...]:
    """The series of the engines that have any; of routers only, or of the others."""
    known = (one for one in specs() if routers is None or one.router == routers)
    return tuple(one.series for one in known if one.series is not None)


def _names(figure: str, *, routers: bool = False) -> Names:
    """A figure's series of every engine; a router repeats what the engines behind it count."""
    found = (name for series in _scraped(routers=routers) for name in getattr(series, figure))
    return tuple(dict.fromkeys(found))


def _labels(figures: Names) -> Names:
    """What sets apart the series of these figures that add up."""
    engines = (s for s in _scraped(routers=False) if any(getattr(s, f) for f in figures))
    return _with_renamed(label for series in engines for label in series.labels)


def _with_renamed(labels: Iterable[str]) -> Names:
    found = [(x, f"exported_{x}") if x in RENAMED else (x,) for x in labels]
    return tuple(name for names in found for name in names)


def _list(*labels: Names) -> str:
    return ",".join(dict.fromkeys(name for names in labels for name in names))


def _any_of(names: Names) -> str:
    both = "|".join(names).replace(":", "[:_]")
    return f'{{__name__=~"{both}"}}'


def _gpus() -> str:
    smi = "__name__,uuid,name,index,instance"
    return (
        f"max by({_list(('__name__',), DEVICE)})({_any_of(DCGM)}) or max by({smi})({_any_of(SMI)})"
    )


def _accounts(figure: str, instance: Names) -> str:
    spent = _either(_names(figure, routers=True))
    by = _list(instance, BY_ACCOUNT)
    return marked(figure, f"topk({TOP_ACCOUNTS},sum by({by})({spent}))")


def _either(terms: Iterable[str]) -> str:
    return " or ".join(terms)
