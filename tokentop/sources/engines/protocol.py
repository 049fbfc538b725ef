"""The protocol of one poll: which paths to GET, and what the answers mean; no I/O.

An adapter's `poll` is a generator: it yields the paths to GET next (all of one batch at once), is
sent the answers, and returns a reading or a failure. Threads run it for the one-line view and
asyncio for the app (transport/run_protocol.py); a test runs it with plain dictionaries.

A path begins with a slash and is relative to the engine's own base URL. `:+2/metrics` is at the
port two above on the same host. An absolute URL may be yielded only where it lies under one of
`Hints.runners`. The engine's token is sent with neither of these.
"""

from collections.abc import Generator, Mapping

from tokentop.domain.engines.readings import EngineKind, EngineReading, ObservedSlots
from tokentop.domain.readings import Failure
from tokentop.light_typing import Protocol
from tokentop.named_tuple import NamedTuple

AUTH_REQUIRED = "The server wants an API key: name it with token_env."
LOADING = "The model is still being loaded."
SELDOM_S = 60.0  # between two requests for what hardly ever changes: version, model names


class Answer(NamedTuple):
    """A 2xx answer to one GET."""

    body: bytes
    content_type: str = ""
    server: str = ""


Paths = tuple[str, ...]
Answers = Mapping[str, Answer | Failure]
PollProtocol = Generator[Paths, Answers, EngineReading | Failure]


class Hints(NamedTuple):
    """What is known of an engine beside its answers: slots from the user or a command line.

    `one_pool` says whether its slots share one KV cache, where its command line is known.
    """

    configured_slots: int | None = None
    argv_slots: int | None = None
    one_pool: bool | None = None
    observed: ObservedSlots = ObservedSlots()  # the evidence of slots that was seen before
    kv_gpu_bytes: int | None = None  # of the KV cache on each GPU, by its command line
    # loopback origins: of processes that the engine started for models, or of its metrics
    runners: tuple[str, ...] = ()


class Adapter(Protocol):
    """One engine's adapter; it keeps between polls what is not requested every time."""

    kind: EngineKind

    def poll(self, now: float) -> PollProtocol:
        """The protocol of one poll; `now` is monotonic seconds."""
        ...


class Throttle:
    """Allows a request once in SELDOM_S; one that failed is due again at the next poll."""

    __slots__ = ("_at",)

    def __init__(self) -> None:
        self._at: float | None = None

    def due(self, now: float) -> bool:
        return self._at is None or now - self._at >= SELDOM_S

    def done(self, now: float) -> None:
        self._at = now


def refused(
    failure: Failure, kind: EngineKind, blank: EngineReading | None = None
) -> EngineReading | Failure:
    """The state behind a refusal: an API key is required, or the model is being loaded."""
    blank = blank or EngineReading(kind)
    if failure.status in (401, 403):
        return blank._replace(health="auth-required", advice=AUTH_REQUIRED)
    if failure.status == 503:
        return blank._replace(health="starting", advice=LOADING)
    return failure


def status_of(answer: Answer | Failure | None) -> int | None:
    """The HTTP status of an answer; None where there was none."""
    if isinstance(answer, Answer):
        return 200
    return answer.status if answer is not None else None


def is_html(answer: Answer) -> bool:
    """Whether a login page or a web application answered."""
    return "html" in answer.content_type.lower() or answer.body.lstrip()[:1] == b"<"
