"""A usage event: one request as a feed reported it, before it is valued and booked."""

from datetime import UTC, datetime

from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple

Outcome = Literal["success", "failure", "aborted", "cache-hit"]

MINUTE_US = 60 * 1_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
EARLIEST_US = 1_577_836_800 * 1_000_000  # 2020: earlier is seconds taken for milliseconds
AHEAD_US = DAY_US  # clocks an hour off, and wrong time zones, are still believed
MAX_TOKENS = 10**9  # of one request
MAX_MICRO_USD = 10**12  # a million USD for one request
MAX_MS = 366 * 86_400 * 1000
MAX_BYTES = 2**50

_LIMITS = (
    ("prompt", MAX_TOKENS, "prompt tokens"),
    ("cached", MAX_TOKENS, "cached tokens"),
    ("generated", MAX_TOKENS, "generated tokens"),
    ("reasoning", MAX_TOKENS, "reasoning tokens"),
    ("duration_ms", MAX_MS, "milliseconds"),
    ("gpu_ms", 1000 * MAX_MS, "GPU-milliseconds"),
    ("vram_share", 1000, "thousandths of the VRAM"),
    ("transfer_bytes", MAX_BYTES, "bytes"),
    ("micro_usd", MAX_MICRO_USD, "micro-USD"),
)


class UsageEvent(NamedTuple):
    """One request. `identity` is the same whenever the same event is reported again.

    `at_us` is when it began, in Unix microseconds. `prompt` includes `cached`, `generated` includes
    `reasoning`. `authenticated` names those of user, project and team that the gateway checked;
    what is not named was chosen by the client. `gpu_ms` is GPU time used, summed over GPUs, and
    `vram_share` the part of their VRAM that was held for it, in thousandths; where the feed does
    not report them, `details` has what they were computed from. `micro_usd` is what the feed's own
    price list charged. None is unknown, never 0.
    """

    identity: str
    at_us: int
    feed: str
    outcome: Outcome = "success"
    estimated: bool = False  # the token counts are a feed's guess
    user: str | None = None
    end_user: str | None = None
    project: str | None = None
    team: str | None = None
    authenticated: tuple[str, ...] = ()
    model: str | None = None
    provider: str | None = None
    engine: str | None = None
    request: str | None = None
    session: str | None = None
    task: str | None = None
    prompt: int | None = None
    cached: int | None = None
    generated: int | None = None
    reasoning: int | None = None
    duration_ms: int | None = None
    gpu: str | None = None
    gpu_ms: int | None = None
    vram_share: int | None = None
    transfer_bytes: int | None = None
    micro_usd: int | None = None
    details: str | None = None  # canonical JSON
    trace: str | None = None  # W3C's trace id, by which reports of one request are found


def problem(event: UsageEvent, now_us: int) -> str | None:
    """Why an event cannot be booked, as the end of a sentence; None where it can."""
    if not event.at_us >= EARLIEST_US:
        return "its time lies before 2020"
    if event.at_us > now_us + AHEAD_US:
        return "its time lies more than a day in the future"
    for field, limit, unit in _LIMITS:
        amount = getattr(event, field)
        if amount is not None and not 0 <= amount <= limit:
            return f"{amount} {unit} cannot be"
    if (event.cached or 0) > (event.prompt or 0):
        return "it has more cached than prompt tokens"
    if (event.reasoning or 0) > (event.generated or 0):
        return "it has more reasoning than generated tokens"
    return None


def iso(at_us: int) -> str:
    """A time as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
