"""Ten minutes of history with a gap in it, for the charts."""

from tests.serving import NOW
from tokentop.domain.history import Sample


def samples() -> tuple[Sample, ...]:
    """150 polls 4 s apart, the last one now; the sources were silent for 24 s of them."""
    return tuple(_sample(i, NOW - 4.0 * (149 - i)) for i in range(150))


def _sample(i: int, t: float) -> Sample:
    if 60 <= i < 66:
        return Sample(t)
    level = 0.3 + 0.012 * (i % 40)
    return Sample(
        t,
        level,
        1.0 + 5.0 * level,
        float(i % 9),
        0.5 + level / 4,
        gpu_utilization=level,
        power_w=900.0 + 1500.0 * level,
        temperature_c=48.0 + 30.0 * level,
        tokens_per_s=2400.0 * level,
        ttft_p95_s=0.1 + 0.6 * level,
        kv_cache=0.9 * level,
        usd_per_hour=19.2 if i >= 80 else None,
    )
