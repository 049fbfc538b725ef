"""What each figure is called on an engine's metrics page, and the counters read by those names."""

from typing import NamedTuple

from tokentop.domain.engines.readings import Counters, EngineReading
from tokentop.sources.metrics_page import Page, histogram_names

Names = tuple[str, ...]

STARTED = "process_start_time_seconds"

COUNTED = (
    "prompt_tokens", "generation_tokens", "live_prompt_tokens", "live_generation_tokens",
    "requests", "preemptions", "rejections", "prefix_queries", "prefix_hits", "finished", "abort",
    "error", "spend_usd", "spend_tokens",
)  # fmt: skip
"""The figures of Series that count what happened since the server started."""


class Series(NamedTuple):
    """The names of each figure's series; of several that are there the first counts.

    Direct readings and Prometheus queries are made of them. A name may have a selector behind it,
    `name{label="value"}`; a histogram is named without `_bucket`. Live tokens are counted while
    they are made, the others, where an engine has both, when a request ends.
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
    requests: Names = ()
    preemptions: Names = ()
    rejections: Names = ()
    prefix_queries: Names = ()
    prefix_hits: Names = ()
    finished: Names = ()  # requests by their label finished_reason
    abort: Names = ()
    error: Names = ()
    spend_usd: Names = ()  # by team and key
    spend_tokens: Names = ()
    ttft: Names = ()  # seconds
    itl: Names = ()
    labels: Names = ()  # set apart what adds up to one figure; other labels repeat a figure
    gauge_labels: Names = ()  # the same of gauges only

    def all_gauges(self) -> Names:
        """Every gauge's name but `awake`, each once."""
        named = (self.presence, *self.running, *self.waiting, *self.kv_cache, *self.gauges)
        return tuple(dict.fromkeys(name.partition("{")[0] for name in named))

    def wanted(self, *others: str) -> frozenset[str]:
        """What to keep of a page: the names of all series and of `others`."""
        counted = (name for figure in COUNTED for name in getattr(self, figure))
        series = (*self.all_gauges(), *self.awake, *counted)
        names = (name.partition("{")[0] for name in series)
        latencies = histogram_names(*self.ttft, *self.itl)
        return frozenset((*names, *latencies, *others, STARTED))


def parse_page(body: bytes, wanted: frozenset[str]) -> Page:
    """The wanted series of a metrics page; the scanner is imported with the first one."""
    from tokentop.sources.exposition import parse

    return parse(body, wanted)


def read_counters(reading: EngineReading, page: Page, series: Series) -> EngineReading:
    """The reading with a page's counters and latencies, and when the server started."""
    return reading._replace(
        counters=_counters(page, series),
        ttft=page.histogram(*series.ttft),
        itl=page.histogram(*series.itl),
        epoch=page.highest(STARTED),
    )


def _counters(page: Page, series: Series) -> Counters:
    """The counters of a page whose figures add up over all label sets."""
    ended = page.by_label(series.finished[0], "finished_reason") if series.finished else {}
    requests = sum(ended.values()) if ended else page.total(*series.requests)
    return Counters(
        prompt_tokens=page.total(*series.prompt_tokens),
        generation_tokens=page.total(*series.generation_tokens),
        requests=requests,
        preemptions=page.total(*series.preemptions),
        rejections=page.total(*series.rejections),
        prefix_queries=page.total(*series.prefix_queries),
        prefix_hits=page.total(*series.prefix_hits),
        stop=ended.get("stop"),
        length=ended.get("length"),
        abort=ended.get("abort", page.total(*series.abort)),
        error=ended.get("error", page.total(*series.error)),
    )
