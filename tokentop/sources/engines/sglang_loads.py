"""SGLang's own figures in JSON: what it runs and keeps in memory, rank by rank."""

from collections.abc import Iterable

from tokentop.domain.engines.readings import EngineReading
from tokentop.domain.numbers import total, whole
from tokentop.domain.readings import Failure
from tokentop.light_typing import TypeGuard
from tokentop.sources import json_fields as values
from tokentop.sources.engines.protocol import Answer

Memory = tuple[int | None, int | None]  # bytes on each GPU: of the KV cache, of the weights

GIB = 2**30  # SGLang's "gb"


def read_loads(answer: Answer | Failure) -> EngineReading | None:
    """The figures of /v1/loads over all data-parallel ranks; None where there are none."""
    if not isinstance(answer, Answer):
        return None
    try:
        document = values.mapping(values.load(answer.body))
        ranks = [values.Fields(r) for r in values.rows(document, "loads") if isinstance(r, dict)]
    except values.BadData:
        return None
    if not ranks:
        return None
    active = _added(ranks, "active", "num_running_reqs")
    rate = _added(ranks, "generation_tokens_per_s", "gen_throughput")
    memory = memory_of(list(values.rows(document, "loads")), "memory", "kv_cache_gb", "weight_gb")
    usage = [rank.share("kv_cache", "token_usage") for rank in ranks]
    known = [share for share in usage if share is not None]
    bad = tuple(dict.fromkeys(name for rank in ranks for name in rank.bad))
    return EngineReading(
        "sglang",
        version=values.Fields(document).text("version"),
        active=whole(active),
        queued=whole(_added(ranks, "queued", "num_waiting_reqs")),
        max_slots=whole(_added(ranks, "max_slots", "max_running_requests")),
        kv_cache=None if "kv_cache" in bad else max(known, default=None),
        # On a drained server the last window's figure stays.
        generation_tokens_per_s=0.0 if active == 0 else rate,
        kv_gpu_bytes=memory[0],
        weights_gpu_bytes=memory[1],
        bad=bad,
    )


def memory_of(ranks: object, name: str, cache: str, weights: str) -> Memory:
    """Bytes of the KV cache and of the weights on each rank's GPU, from the GiB in its `name`."""
    found = [rank.get(name) for rank in ranks if isinstance(rank, dict)] if _is_list(ranks) else []
    own = [values.Fields(each) for each in found if isinstance(each, dict)]
    return _alike(own, cache), _alike(own, weights)


def _alike(ranks: Iterable[values.Fields], name: str) -> int | None:
    """The bytes where every rank has as many."""
    sizes = {rank.amount(name) for rank in ranks}
    size = sizes.pop() if len(sizes) == 1 else None
    return round(size * GIB) if size else None


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _added(ranks: Iterable[values.Fields], figure: str, name: str) -> float | None:
    """The sum of the ranks that have it; None where it is unusable in one of them."""
    numbers = [(rank.amount(figure, name), figure in rank.bad) for rank in ranks]
    return None if any(bad for _, bad in numbers) else total(number for number, _ in numbers)
