"""The last hour in memory, for the history charts."""

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tokentop.domain import gpu_pool
from tokentop.domain.snapshot import Snapshot


class Sample(NamedTuple):
    """What one refresh knew at monotonic time `t`; None is a gap, not a zero."""

    t: float
    utilization: float | None = None
    multiplier: float | None = None
    queued: float | None = None
    vram_fraction: float | None = None
    gpu_utilization: float | None = None
    power_w: float | None = None
    temperature_c: float | None = None  # of the hottest GPU
    tokens_per_s: float | None = None
    ttft_p95_s: float | None = None
    kv_cache: float | None = None
    usd_per_hour: float | None = None


def sample_of(snapshot: Snapshot, now: float) -> Sample:
    """The sample of one snapshot taken at monotonic `now`; what is stale is a gap."""
    demand, llm = snapshot.demand, snapshot.llm
    gpus = [gpu for gpu in snapshot.gpus if gpu.state == "ok"]
    heat = [gpu.temperature_c for gpu in gpus if gpu.temperature_c is not None]
    return Sample(
        t=now,
        utilization=None if demand.stale else demand.utilization,
        multiplier=None if demand.stale else snapshot.pricing.multiplier,
        queued=None if llm.stale else llm.queued,
        vram_fraction=gpu_pool.vram_fraction(gpus),
        gpu_utilization=gpu_pool.utilization(gpus),
        power_w=gpu_pool.power_w(gpus),
        temperature_c=max(heat, default=None),
        tokens_per_s=snapshot.throughput.generation_tokens_per_s,
        ttft_p95_s=snapshot.throughput.ttft_p95_s,
        kv_cache=None if llm.stale else llm.kv_cache,
        usd_per_hour=snapshot.cost.usd_per_hour,
    )


class History:
    """Samples in rising time, forgotten after `span_s` seconds or beyond `most` of them."""

    def __init__(self, span_s: float = 3600.0, most: int = 7200) -> None:
        self._span_s = span_s
        self._most = most
        self._samples: deque[Sample] = deque(maxlen=most)

    def add(self, sample: Sample) -> None:
        """Keeps a sample; one that is not newer than the last replaces it."""
        while self._samples and self._samples[-1].t >= sample.t:
            self._samples.pop()
        self._samples.append(sample)
        while self._samples[0].t < sample.t - self._span_s:
            self._samples.popleft()

    def prepend(self, samples: Sequence[Sample]) -> None:
        """Keep, of samples in rising time, those that are older than all that are kept."""
        first = self._samples[0].t if self._samples else math.inf
        older = [sample for sample in samples if sample.t < first]
        room = self._most - len(self._samples)
        self._samples.extendleft(reversed(older[max(0, len(older) - room) :]))

    def window(self, now: float, span_s: float) -> tuple[Sample, ...]:
        """The samples of the last `span_s` seconds before `now`, oldest first."""
        return tuple(s for s in self._samples if now - span_s <= s.t <= now)


def buckets(
    samples: Sequence[Sample],
    value: Callable[[Sample], float | None],
    now: float,
    span_s: float,
    count: int,
) -> list[float | None]:
    """`count` equal slices of the last `span_s` seconds, each the mean of its known values.

    A slice in which nothing is known is None.
    """
    if count <= 0 or span_s <= 0:
        return []
    found: list[list[float]] = [[] for _ in range(count)]
    for sample in samples:
        said = value(sample)
        place = int((sample.t - (now - span_s)) / span_s * count)
        if said is not None and now - span_s <= sample.t <= now:
            found[min(place, count - 1)].append(said)
    return [sum(values) / len(values) if values else None for values in found]
