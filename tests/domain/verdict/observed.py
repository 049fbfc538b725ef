"""Engines as the verdict is given them, and the verdict on them alone."""

from typing import Any

from tests.domain.scenario import fold
from tokentop.domain.engines.observation import EngineObservation
from tokentop.domain.engines.readings import EngineReading
from tokentop.domain.fold.fold import FoldInput
from tokentop.domain.policy import Policy
from tokentop.domain.readings import Failure
from tokentop.domain.snapshot import Snapshot

REFUSED = Failure("refused", "nothing listens on 127.0.0.1:8000")
TIMEOUT = Failure("timeout", "no complete answer within 2.5 s")
NOON = 1_763_726_400.0  # 2025-11-21 12:00:00 UTC


def engine(port: int = 8000, model: str | None = "Qwen3-32B", **changes: Any) -> EngineObservation:
    """A vLLM that answered a second ago; reading fields and observation fields alike."""
    of_it = {key: changes.pop(key) for key in list(changes) if key in EngineObservation._fields}
    base = EngineObservation(
        f"vllm@127.0.0.1:{port}",
        "vllm",
        f"http://127.0.0.1:{port}",
        reading=EngineReading("vllm", model=model)._replace(**changes),
        age_s=1.0,
        outcome="ok",
        read_before=True,
    )
    return base._replace(**of_it)


def unread(port: int = 8000, **changes: Any) -> EngineObservation:
    """A configured engine that never gave a reading."""
    empty = engine(port, None, read_before=False)._replace(
        reading=None, age_s=None, outcome=REFUSED
    )
    return empty._replace(**{"configured": True, **changes})


def judged(*engines: EngineObservation, now: float = 1000.0, **changes: Any) -> Snapshot:
    """One fold of these engines on a box that has nothing else; 12:00 UTC at `now`."""
    given = FoldInput(
        policy=changes.pop("policy", Policy()),
        host="box",
        now=now,
        wall=NOON,
        engines=engines,
        priced=False,
        **changes,
    )
    return fold(given)
