"""What one good poll of one inference engine returned, in our units.

Counters are totals since the server started; a missing series is None, never 0, because several
engines create a series at its first use.
"""

from typing import Literal, NamedTuple

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


class Histogram(NamedTuple):
    """Cumulative buckets ((upper bound in seconds, count), ...) in rising order, +Inf last."""

    buckets: tuple[tuple[float, float], ...] = ()
    total: float | None = None  # the sum of all observations, seconds
    observations: float | None = None


class Counters(NamedTuple):
    """Totals since the server started."""

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
    # generated tokens of requests that ended, by how they ended (where the engine says so)
    burned_tokens: float | None = None


class SlotProgress(NamedTuple):
    """One llama.cpp slot's task (its last one where it idles): tokens so far."""

    task: str
    generated: int
    prompt: int = 0


class TeamSpend(NamedTuple):
    """A router's account of one team or key; money USD."""

    team: str
    key: str
    usd: float | None = None
    tokens: float | None = None


class EngineReading(NamedTuple):
    """One engine at one moment. Ratios 0-1; `epoch` changes when the server restarts."""

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
    slots: tuple[SlotProgress, ...] | None = None
    ttft: Histogram | None = None
    itl: Histogram | None = None
    vram_bytes: int | None = None
    epoch: float | None = None
    router: bool = False  # its traffic is the engines' traffic: never add it to theirs
    backends: tuple[str, ...] = ()  # the engines a router sends to, as origins
    spend: tuple[TeamSpend, ...] = ()
    health: EngineHealth = "online"
    advice: str | None = None  # one sentence: what the user can do about the health
    bad: tuple[str, ...] = ()
