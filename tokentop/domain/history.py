"""The last hour in memory, for the history charts and the sparklines."""

import math
from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise

from tokentop.domain import gpu_pool
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import known
from tokentop.named_tuple import NamedTuple

# A young history fills its chart: it takes at least half of each span, two thirds of most.
SPANS_S = tuple(60.0 * n for n in (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60))


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


def span_of(samples: Sequence[Sample], now: float) -> float:
    """The shortest of SPANS_S that holds every sample, in seconds."""
    age = now - samples[0].t if samples else 0.0
    return next((span for span in SPANS_S if age <= span), SPANS_S[-1])


def series(
    samples: Sequence[Sample],
    value: Callable[[Sample], float | None],
    now: float,
    span_s: float,
    count: int,
) -> list[float | None]:
    """`count` equal slices of the last `span_s` seconds, each the highest of its known values.

    A slice that is shorter than the time between two polls repeats the one before it; where a poll
    is missing, or its value unknown, the slices are None.
    """
    if count <= 0 or span_s <= 0:
        return []
    slices: list[float | None] = [None] * count
    unknown = [True] * count
    start = now - span_s
    for sample in samples:
        if start <= sample.t <= now:
            at = min(int((sample.t - start) / span_s * count), count - 1)
            figure, before = value(sample), slices[at]
            unknown[at] = False
            if known(figure) and (before is None or figure > before):
                slices[at] = figure
    return _held(slices, unknown, 1.5 * interval_s(samples) / (span_s / count) + 1)


def interval_s(samples: Sequence[Sample]) -> float:
    """The usual time between two samples in seconds; 0 where there are fewer than two."""
    steps = sorted(b.t - a.t for a, b in pairwise(samples[-64:]))
    return steps[len(steps) // 2] if steps else 0.0


def _held(
    slices: list[float | None], unsampled: Sequence[bool], reach: float
) -> list[float | None]:
    """Slices between two samples at most `reach` slices apart repeat the first one's value.

    So do those after the last sample, until the next one is due.
    """
    filled = list(slices)
    sampled = [i for i, empty in enumerate(unsampled) if not empty]
    for left, right in pairwise([*sampled, len(slices)] if sampled else []):
        if 1 < right - left <= reach:
            filled[left + 1 : right] = [slices[left]] * (right - left - 1)
    return filled


def sample_at(samples: Sequence[Sample], t: float) -> Sample | None:
    """The sample in force at monotonic `t`; None where none was taken shortly before."""
    reach = 1.5 * interval_s(samples)
    return next((s for s in reversed(samples) if t - reach <= s.t <= t), None)
