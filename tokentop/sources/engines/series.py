"""What each figure is called on an engine's metrics page, and the counters read by those names."""

from tokentop.domain.engines.readings import CounterSets, EngineReading, Histograms, LabelSets
from tokentop.named_tuple import NamedTuple
from tokentop.sources.figures import Figures
from tokentop.sources.metrics_page import Page, bucket_name

Names = tuple[str, ...]

STARTED = "process_start_time_seconds"

COUNTED = (
    "prompt_tokens", "generation_tokens", "live_prompt_tokens", "live_generation_tokens",
    "requests", "succeeded", "preemptions", "rejections", "prefix_queries", "prefix_hits",
    "finished", "abort", "error", "spend_usd", "spend_tokens",
)  # fmt: skip
"""The figures of Series that count what happened since the server started."""

LATENCIES = Histograms._fields
"""The figures of Series that are histograms."""


class Series(NamedTuple):
    """The names of each figure's series; of several that are there the first counts.

    Direct readings and Prometheus queries are made of them. A name may have a selector behind it,
    `name{label="value"}`; a histogram is named without `_bucket`, and is in seconds unless its
    name ends in `_ms`. Live tokens are counted while they are made, the others, where an engine
    has both, when a request ends.
    """

    presence: str  # a gauge that every server has: it makes a scraped target known as this engine
    running: Names = ()
    waiting: Names = ()
    kv_cache: Names = ()  # 0-1
    awake: Names = ()  # 0 while the model sleeps
    gauges: Names = ()  # others that are read
    prompt_tokens: Names = ()
    generation_tokens: Names = ()
    live_prompt_tokens: Names = ()
    live_generation_tokens: Names = ()
    requests: Names = ()  # all that ended
    succeeded: Names = ()  # those that ended well, where `abort` and `error` are not among them
    preemptions: Names = ()
    rejections: Names = ()
    prefix_queries: Names = ()
    prefix_hits: Names = ()
    finished: Names = ()  # requests by their label finished_reason
    abort: Names = ()
    error: Names = ()  # failed after they began; what was refused before a token is not among them
    spend_usd: Names = ()  # by team and key
    spend_tokens: Names = ()
    ttft: Names = ()
    itl: Names = ()
    e2e: Names = ()
    queue: Names = ()
    prefill: Names = ()
    decode: Names = ()
    labels: Names = ()  # set apart what adds up to one figure; other labels repeat a figure
    gauge_labels: Names = ()  # the same of gauges only

    def all_gauges(self) -> Names:
        """Every gauge's name but `awake`, each once."""
        named = (self.presence, *self.running, *self.waiting, *self.kv_cache, *self.gauges)
        return tuple(dict.fromkeys(name.partition("{")[0] for name in named))

    def wanted(self, *others: str) -> frozenset[str]:
        """What to keep of a page: the names of all series and of `others`."""
        counted = (name for figure in COUNTED for name in getattr(self, figure))
        buckets = (bucket_name(name) for figure in LATENCIES for name in getattr(self, figure))
        series = (*self.all_gauges(), *self.awake, *counted, *buckets)
        names = (name.partition("{")[0] for name in series)
        return frozenset((*names, *others, STARTED))


def parse_page(body: bytes, wanted: frozenset[str]) -> Page:
    """The wanted series of a metrics page; the scanner is imported with the first one."""
    from tokentop.sources.exposition import parse

    return parse(body, wanted)


def read_counters(reading: EngineReading, page: Page, series: Series) -> EngineReading:
    """The reading with a page's counters and latencies, and when the server started."""
    figures = Figures(page)
    sets = counter_sets(figures, series)
    latencies = Histograms(*(figures.histograms(f, *getattr(series, f)) for f in LATENCIES))
    return reading._replace(
        counters=sets.totals(),
        sets=sets,
        latencies=latencies,
        epoch=max((row.value for row in figures.samples("epoch", STARTED)), default=None),
        bad=merged(reading.bad, figures.bad),
    )


def merged(one: Names, other: Names) -> Names:
    """The names of both, each once."""
    return tuple(dict.fromkeys((*one, *other))) if other else one


def counter_sets(figures: Figures, series: Series) -> CounterSets:
    """The label sets of every counter of a page."""

    def sets(figure: str) -> LabelSets:
        names: Names = getattr(series, figure)
        return figures.sets(figure, *names) if names else ()

    ended = _by_reason(figures, series)
    abort = ended.get("abort", ()) if ended else sets("abort")
    error = ended.get("error", ()) if ended else sets("error")
    requests = tuple(each for reason in ended.values() for each in reason) or sets("requests")
    if series.succeeded:
        requests = _apart(succeeded=sets("succeeded"), abort=abort, error=error)
    return CounterSets(
        prompt_tokens=sets("prompt_tokens"),
        generation_tokens=sets("generation_tokens"),
        requests=requests,
        preemptions=sets("preemptions"),
        rejections=sets("rejections"),
        prefix_queries=sets("prefix_queries"),
        prefix_hits=sets("prefix_hits"),
        stop=ended.get("stop", ()),
        length=ended.get("length", ()),
        abort=abort,
        error=error,
    )


def _by_reason(figures: Figures, series: Series) -> dict[str, LabelSets]:
    """The label sets of requests that ended, by why."""
    found: dict[str, list[tuple[str, float]]] = {}
    for labels, value, key in figures.samples("requests", *series.finished):
        found.setdefault(labels.get("finished_reason", ""), []).append((key, value))
    return {reason: tuple(sets) for reason, sets in found.items()}


def _apart(**parts: LabelSets) -> LabelSets:
    """The label sets of several series, kept apart by the series."""
    return tuple((f"{part} {key}", value) for part, sets in parts.items() for key, value in sets)
