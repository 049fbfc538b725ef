"""How an engine is asked, without doing any I/O.

An adapter's `poll` is a generator: it yields the paths to GET next (all of one batch at once),
is sent the answers, and returns what they mean. The same conversation is driven by threads for
the one-line view and by asyncio for the app; a test drives it with plain dictionaries.
"""

from collections.abc import Generator, Mapping
from typing import NamedTuple, Protocol

from tokentop.domain.engine_readings import EngineKind, EngineReading
from tokentop.domain.readings import Failure

SELDOM_S = 60.0  # how often what hardly ever changes (version, model names) is asked again


class Answer(NamedTuple):
    """A 2xx answer to one GET."""

    body: bytes
    content_type: str = ""
    server: str = ""


Paths = tuple[str, ...]
Answers = Mapping[str, Answer | Failure]
Conversation = Generator[Paths, Answers, EngineReading | Failure]


class Hints(NamedTuple):
    """What is known of an engine beside its answers; slots from the user or a command line."""

    configured_slots: int | None = None
    argv_slots: int | None = None


class Adapter(Protocol):
    """One engine's adapter; it remembers between polls what need not be asked every time."""

    kind: EngineKind

    def poll(self, now: float) -> Conversation:
        """The conversation of one poll; `now` is monotonic seconds."""
        ...


class Seldom:
    """Asks something again only after a while; a failure is asked again at the next poll."""

    __slots__ = ("_at",)

    def __init__(self) -> None:
        self._at: float | None = None

    def due(self, now: float) -> bool:
        return self._at is None or now - self._at >= SELDOM_S

    def done(self, now: float) -> None:
        self._at = now


def status_of(answer: Answer | Failure | None) -> int | None:
    """The HTTP status of an answer; None where there was none."""
    if isinstance(answer, Answer):
        return 200
    return answer.status if answer is not None else None


def is_html(answer: Answer) -> bool:
    """A login page or a web application in the place of an answer."""
    return "html" in answer.content_type.lower() or answer.body.lstrip()[:1] == b"<"
