"""All engines together as values; empty where none is known."""

from tokentop.domain.snapshot import Gpu, Llm, Service
from tokentop.domain.snapshot_engines import Engine, Throughput
from tokentop.named_tuple import NamedTuple

ENGINES = "engines"  # Llm.source where the figures are the engines' own


class EnginesSummary(NamedTuple):
    """The engines' rows and sums; `gpus` is the pool with their processes assigned to engines.

    `reports` says that an engine reports its own load, so that VRAM figures need not.
    """

    gpus: tuple[Gpu, ...] = ()
    engines: tuple[Engine, ...] = ()
    services: tuple[Service, ...] = ()
    llm: Llm = Llm()
    throughput: Throughput = Throughput()
    reports: bool = False
    age_s: float | None = None


def combined_slots(stack: Llm, answers: bool, engines: Llm) -> Llm:
    """The stack's figures where its queue `answers`, with the engines' KV cache; else theirs."""
    if engines.source is None or (stack.source is not None and engines.stale and not answers):
        return stack
    if not answers:
        return engines
    if engines.kv_cache is None or engines.stale:
        return stack
    source = f"{stack.source}+{engines.source}"
    kv_estimated = engines.kv_estimated
    return stack._replace(kv_cache=engines.kv_cache, kv_estimated=kv_estimated, source=source)
