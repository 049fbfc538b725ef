"""What one good poll of one inference engine returned, in our units.

Counters are totals since the server started; a missing series is None, never 0, because several
engines create a series at its first use.
"""

from collections.abc import Iterable
from math import fsum

from tokentop.domain.text import known
from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple

EngineKind = Literal["vllm", "sglang", "llamacpp", "ollama", "tgi", "litellm", "triton", "openai"]
SlotsSource = Literal["reported", "argv", "derived", "configured"]
EngineHealth = Literal[
    "online",
    "starting",  # the model is not up yet
    "asleep",  # the model was unloaded on purpose; more requests would load it
    "no-metrics",  # answers, but statistics are disabled
    "auth-required",  # wants an API key
    "names-only",  # serves its models' names at most
]


LabelSets = tuple[tuple[str, float], ...]  # (label set, value) of one counter's series


class Histogram(NamedTuple):
    """Cumulative buckets ((upper bound in seconds, count), ...) in rising order, +Inf last.

    `key` is its label set, the same at every reading.
    """

    buckets: tuple[tuple[float, float], ...] = ()
    key: str = ""


class Histograms(NamedTuple):
    """Latencies: every label set of each; the quantiles of all sets together are the engine's."""

    ttft: tuple[Histogram, ...] = ()
    itl: tuple[Histogram, ...] = ()
    e2e: tuple[Histogram, ...] = ()  # from arrival to the last token
    queue: tuple[Histogram, ...] = ()
    prefill: tuple[Histogram, ...] = ()
    decode: tuple[Histogram, ...] = ()


class Counters(NamedTuple):
    """Totals since the server started, or what they gained in some time.

    `requests` are all that ended, well or not; refused ones are no such requests.
    """

    prompt_tokens: float | None = None
    generation_tokens: float | None = None
    requests: float | None = None
    preemptions: float | None = None
    rejections: float | None = None
    prefix_queries: float | None = None  # tokens
    prefix_hits: float | None = None  # tokens
    stop: float | None = None
    length: float | None = None
    abort: float | None = None
    error: float | None = None


class CounterSets(NamedTuple):
    """The label sets that each total of Counters is the sum of; empty where it is one number."""

    prompt_tokens: LabelSets = ()
    generation_tokens: LabelSets = ()
    requests: LabelSets = ()
    preemptions: LabelSets = ()
    rejections: LabelSets = ()
    prefix_queries: LabelSets = ()
    prefix_hits: LabelSets = ()
    stop: LabelSets = ()
    length: LabelSets = ()
    abort: LabelSets = ()
    error: LabelSets = ()

    def totals(self) -> Counters:
        """The sums; None where a counter has no label set."""
        return Counters(*(_sum(sets) if sets else None for sets in self))


class SlotProgress(NamedTuple):
    """One llama.cpp slot's task (its last one where it idles): tokens so far."""

    task: str
    generated: int
    prompt: int = 0


class ObservedSlots(NamedTuple):
    """A lower bound of the slots: the most requests that ran while others waited.

    `sightings` readings saw some wait, all of the server that started at `epoch`. `apart`: slots
    held more tokens together than one KV cache of theirs could.
    """

    most: int = 0
    sightings: int = 0
    epoch: float | None = None
    apart: bool = False


class TeamSpend(NamedTuple):
    """A router's account of one team or key; money USD."""

    team: str
    key: str
    usd: float | None = None
    tokens: float | None = None


class EngineReading(NamedTuple):
    """One engine at one moment. Ratios 0-1; `epoch` changes when the server restarts.

    `models` are loaded; `aliases` are other names of these, `adapters` LoRA adapters on top of
    them. `bad` names the figures that came in an unusable form: they are unknown.
    """

    kind: EngineKind
    version: str | None = None
    model: str | None = None
    models: tuple[str, ...] | None = None
    active: int | None = None
    queued: int | None = None
    max_slots: int | None = None
    slots_source: SlotsSource | None = None
    kv_cache: float | None = None
    kv_estimated: bool = False
    back_pressure: bool | None = None
    generation_tokens_per_s: float | None = None  # where the server itself reports a live rate
    counters: Counters = Counters()
    sets: CounterSets = CounterSets()
    slots: tuple[SlotProgress, ...] | None = None
    latencies: Histograms = Histograms()
    vram_bytes: int | None = None
    kv_gpu_bytes: int | None = None  # what its KV cache reserves on each of its GPUs
    weights_gpu_bytes: int | None = None
    epoch: float | None = None
    router: bool = False  # its traffic is the engines' traffic: never add it to theirs
    backends: tuple[str, ...] = ()  # the engines a router sends to, as origins
    spend: tuple[TeamSpend, ...] = ()
    health: EngineHealth = "online"
    advice: str | None = None  # one sentence: what the user can do about the health
    bad: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    adapters: tuple[str, ...] = ()
    names_more: int = 0  # models, aliases and adapters beyond those
    observed: ObservedSlots | None = None  # where that is where the slots come from

    @property
    def slots_estimated(self) -> bool:
        """Whether `max_slots` is what was seen to run, and no one says that it is all."""
        return self.max_slots is not None and self.slots_source == "derived"


def fullest_kv(readings: Iterable[EngineReading]) -> tuple[float | None, bool]:
    """The use of the fullest KV cache, 0-1, and whether that is estimated; never a sum."""
    used = [(one.kv_cache, one.kv_estimated) for one in readings if known(one.kv_cache)]
    return max(used, default=(None, False))


def _sum(sets: LabelSets) -> float:
    return sets[0][1] if len(sets) == 1 else fsum(value for _, value in sets)
