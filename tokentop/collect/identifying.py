"""The poll of an engine whose kind is not known yet."""

from collections.abc import Sequence

from tokentop.domain.engines.readings import EngineReading
from tokentop.domain.readings import Failure
from tokentop.domain.reasons import AUTH
from tokentop.light_typing import Any
from tokentop.sources.engines.identify import identify
from tokentop.sources.engines.protocol import LOADING

UNKNOWN = Failure("bad-data", "no inference engine that is known answers there", neutral=True)


def identified() -> Any:
    """A protocol that ends with the kind of the engine, or with why none was identified."""
    protocol = identify()
    paths = next(protocol)
    while True:
        answers = yield paths
        failures = [answer for answer in answers.values() if isinstance(answer, Failure)]
        try:
            paths = protocol.send(answers)
        except StopIteration as ended:
            return ended.value or _why_unknown(failures, len(answers))


def _why_unknown(failures: Sequence[Failure], asked: int) -> EngineReading | Failure:
    """Why no engine was identified: it loads, wants a key, is silent, or another server."""
    if len(failures) == asked and all(failure.status == 503 for failure in failures):
        return EngineReading("openai", health="starting", advice=LOADING)
    refusal = next((failure for failure in failures if failure.kind in AUTH), None)
    if refusal is not None:
        return refusal
    heard = len(failures) < asked or any(failure.status for failure in failures)
    return UNKNOWN if heard else failures[0]
