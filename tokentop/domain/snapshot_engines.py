"""The engines' part of the snapshot: one engine, what all of them deliver, and what that costs."""

from collections.abc import Iterable

from tokentop.domain.reasons import FailureKind
from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple


class Finished(NamedTuple):
    """Requests finished since the server started, by reason."""

    stop: int | None = None
    length: int | None = None
    abort: int | None = None
    error: int | None = None


class Quantiles(NamedTuple):
    """One latency over the last minute, seconds; None without observations."""

    p50_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None


class Latencies(NamedTuple):
    """Where the time of requests goes: to the first token, between tokens, from end to end.

    `queue` is before work on a request begins, `prefill` and `decode` are the two parts of it.
    """

    ttft: Quantiles = Quantiles()
    itl: Quantiles = Quantiles()
    e2e: Quantiles = Quantiles()
    queue: Quantiles = Quantiles()
    prefill: Quantiles = Quantiles()
    decode: Quantiles = Quantiles()


class TokensSeen(NamedTuple):
    """The tokens one engine was seen to make since it was first read; they never fall.

    Only gains are added: a restart, a gap or a label set that is new adds nothing by itself, and
    what follows goes on from the same total. They stay while the engine is silent. `prompt` or
    `generated` is None until that counter was read twice; both are lower bounds where `at_least`,
    from the first tokens on that may have been made out of sight (a slot's task that ended between
    two polls, a restart).
    """

    prompt: int | None = None
    generated: int | None = None
    at_least: bool = False


class Throughput(NamedTuple):
    """Rates over the last polls; None until two readings exist. TTFT and ITL are medians.

    `preemptions` and `finished` are totals since the servers started; `burn` is the share of the
    last minute's requests that made tokens for nothing.
    """

    prompt_tokens_per_s: float | None = None
    generation_tokens_per_s: float | None = None
    requests_per_s: float | None = None
    ttft_s: float | None = None
    itl_s: float | None = None
    ttft_p95_s: float | None = None
    itl_p95_s: float | None = None
    prefix_hit_ratio: float | None = None
    burn: float | None = None
    preemptions: int | None = None
    finished: Finished = Finished()
    latencies: Latencies = Latencies()


EngineState = Literal[
    "online",
    "starting",  # its process runs or it answers, but the model is not loaded yet
    "asleep",  # the model was unloaded on purpose; the next request wakes it
    "no-metrics",  # answers, but its statistics are disabled
    "auth-required",
    "names-only",  # serves its models' names and nothing else
    "stale",
    "offline",
    "backing-off",  # failed often, and is polled rarely
    "gone",  # it was found and read, and nothing listens there any more
    "bad-data",  # answers, but nothing usable
]
ANSWERING: tuple[EngineState, ...] = ("online", "asleep", "no-metrics", "names-only")
DOWN_STATES: tuple[EngineState, ...] = ("offline", "gone")
SILENT_STATES: tuple[EngineState, ...] = ("stale", "offline", "backing-off", "gone")
NOT_SERVING: tuple[EngineState, ...] = ("starting", "asleep")  # known to serve no request now


class Spend(NamedTuple):
    """What one team or key has spent at a router since it started; money USD."""

    team: str
    key: str
    usd: float | None = None
    tokens: float | None = None


class Engine(NamedTuple):
    """One inference engine read directly (vLLM, SGLang, llama.cpp, ...).

    `advice` says what the user can do about the state, `error` what went wrong and
    `reason` its kind; `burn` is an
    estimate; `slots_estimated` and `kv_estimated` figures carry an about sign. `router` traffic
    is the engines' traffic, `backends` are their origins; `pids` are this host's. Tokens were made
    that no counter shows where `rate_at_least`: both tokens/s are lower bounds. `aliases` are other
    names of its models, `adapters` LoRA adapters on top of them; `names_more` of all three are not
    listed. `tokens_seen` is None until two
    readings counted; it outlasts every state. `kv_gpu_bytes` and `weights_gpu_bytes` are what its
    KV cache and its weights take on each of its GPUs, where the engine says so.
    """

    id: str
    kind: str
    url: str | None = None
    version: str | None = None
    model: str | None = None
    models: tuple[str, ...] | None = None
    active: int | None = None
    queued: int | None = None
    max_slots: int | None = None
    slots_source: Literal["reported", "argv", "derived", "configured"] | None = None
    kv_cache: float | None = None
    prompt_tokens_per_s: float | None = None
    generation_tokens_per_s: float | None = None
    ttft_s: float | None = None
    itl_s: float | None = None
    preemptions: int | None = None
    finished: Finished = Finished()
    state: EngineState = "offline"
    age_s: float | None = None
    name: str | None = None
    ttft_p95_s: float | None = None
    itl_p95_s: float | None = None
    requests_per_s: float | None = None
    prefix_hit_ratio: float | None = None
    rejections: int | None = None
    burn: float | None = None
    kv_estimated: bool = False
    slots_estimated: bool = False
    back_pressure: bool | None = None
    advice: str | None = None
    error: str | None = None
    latency_ms: float | None = None
    source: Literal["direct", "prometheus"] = "direct"
    group: str | None = None
    router: bool = False
    backends: tuple[str, ...] = ()
    spend: tuple[Spend, ...] = ()
    pids: tuple[int, ...] = ()
    vram_bytes: int | None = None
    rate_at_least: bool = False
    reason: FailureKind | None = None
    latencies: Latencies = Latencies()
    aliases: tuple[str, ...] = ()
    adapters: tuple[str, ...] = ()
    tokens_seen: TokensSeen | None = None
    names_more: int = 0
    kv_gpu_bytes: int | None = None
    weights_gpu_bytes: int | None = None


def rates_at_least(engines: Iterable[Engine]) -> bool:
    """Whether their tokens/s are a lower bound: one made tokens that no counter holds."""
    return any(engine.rate_at_least and engine.state == "online" for engine in engines)


class CostInput(NamedTuple):
    """One row of "how this was computed": what, how much (already in words), where from."""

    label: str
    value: str
    source: str


class Explanation(NamedTuple):
    """One figure of Cost by its field name, with everything it was computed from."""

    figure: str
    value: float | None = None
    inputs: tuple[CostInput, ...] = ()


class CostGap(NamedTuple):
    """An engine and for how many seconds of the last hour its tokens are not known."""

    engine: str
    seconds: float


Bound = Literal["at-least", "at-most", "about"]


class CostBounds(NamedTuple):
    """On which side the truth lies; None where the figure is whole. Named as in Cost.

    At least: electricity that has a price is not measured. At most: an engine generated tokens
    that it did not report, and they share the price. Both, or tokens estimated from a rate: about.
    """

    usd_per_hour: Bound | None = None
    usd_per_mtok_reserved: Bound | None = None
    usd_per_mtok_busy: Bound | None = None
    usd_per_mtok_best: Bound | None = None


class Cost(NamedTuple):
    """What the machine and its generated tokens cost here; unknown without a configured price.

    `usd_per_mtok_*` are USD per million generated tokens over `measured_s` seconds: all reserved
    time, busy time only, and at the best throughput seen. Watts are the GPUs' alone. `gaps` are
    (engine, seconds of the hour in which it reported no tokens). `needs` is the key of the
    configuration without which no price is known.
    """

    basis: Literal["rented", "owned", "electricity"] | None = None
    usd_per_hour: float | None = None
    usd_per_mtok_reserved: float | None = None
    usd_per_mtok_busy: float | None = None
    usd_per_mtok_best: float | None = None
    reference_name: str | None = None
    reference_usd_per_mtok: float | None = None
    watts: float | None = None
    kwh_per_mtok: float | None = None
    measured_s: float = 0.0
    busy_s: float = 0.0
    tokens: float | None = None
    best_tokens_per_s: float | None = None
    partial: bool = False
    explained: tuple[Explanation, ...] = ()
    bounds: CostBounds = CostBounds()
    gaps: tuple[CostGap, ...] = ()
    needs: str | None = None
