"""Every engine's SPEC by its kind, and where engines usually listen.

A kind's file is called as the kind, and is imported when it is first asked for.
"""

from functools import cache

from tokentop.domain.engines.readings import EngineKind
from tokentop.light_typing import TYPE_CHECKING, get_args
from tokentop.sources.engines.protocol import Adapter, Hints

if TYPE_CHECKING:
    from tokentop.sources.engines.spec import EngineSpec

KINDS: tuple[EngineKind, ...] = get_args(EngineKind)
# Where images and sidecars put engines: LM Studio, LMDeploy, Dynamo and more.
OTHER_PORTS = (1234, 5000, 8001, 8081, 8888, 23333)


@cache
def spec(kind: EngineKind) -> "EngineSpec":
    """The facts of one engine; only its own module is imported."""
    # importlib would cost the one-line view 0.4 ms.
    found: EngineSpec = __import__(f"{__package__}.{kind}", fromlist=["SPEC"]).SPEC
    return found


@cache
def specs() -> tuple["EngineSpec", ...]:
    """The facts of every engine, which imports them all."""
    return tuple(spec(kind) for kind in KINDS)


def adapter(kind: EngineKind, hints: Hints = Hints()) -> Adapter:  # noqa: B008  (a frozen value)
    """A new adapter for one engine."""
    return spec(kind).adapter(hints)


def usual_ports() -> tuple[int, ...]:
    """The engines' own, then where else they are met, none twice."""
    own = (one.port for one in specs() if one.port is not None)
    return tuple(dict.fromkeys((*own, *OTHER_PORTS)))
