"""The past of a fleet: one range query a figure, and their answers as samples.

Each is aggregated to a single series, so that a stretch costs the same for a thousand engines.
https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
"""

from collections.abc import Generator
from urllib.parse import quote

from tokentop.domain.history import Sample
from tokentop.domain.past import Stretch
from tokentop.domain.readings import Failure
from tokentop.domain.text import known
from tokentop.sources.engines.protocol import Answer, Answers, Paths
from tokentop.sources.engines.series import Names
from tokentop.sources.json_fields import BadData
from tokentop.sources.prometheus.answers import advise, series
from tokentop.sources.prometheus.gpus import BLANK
from tokentop.sources.prometheus.queries import DEVICE, Window, gauge_of, identity

PATH = "/api/v1/query_range"
LEAST_STEP_S = 5.0  # servers are hardly ever scraped more often
LEAST_WINDOW_S = 150  # of a rate: two scrapes of what is scraped once a minute
# MIG instances repeat their GPU's power and heat.
_CARD: Names = ("UUID", "uuid", "gpu", "Hostname")
_MIB = 2**20


def step_s(stretch: Stretch) -> float:
    """Seconds between two samples of a stretch."""
    return max(LEAST_STEP_S, stretch.slice_s)


def range_queries(group_by: str | None, step: float) -> dict[str, str]:
    """PromQL by the figure of a Sample that it makes, for samples `step` seconds apart."""
    over = Window(max(LEAST_WINDOW_S, round(step)), identity(group_by))
    used, free, kept = (
        _dcgm(*names, by=DEVICE)
        for names in (
            ("DCGM_FI_DEV_FB_USED", "dcgm_fb_used"),
            ("DCGM_FI_DEV_FB_FREE", "dcgm_fb_free"),
            ("DCGM_FI_DEV_FB_RESERVED",),
        )
    )
    total = f"({used}+{free}+({kept} or {used}*0))"
    vram = _each(f"{used}*{_MIB}", "memory_used_bytes")
    busy = _dcgm("DCGM_FI_DEV_GPU_UTIL", "dcgm_gpu_utilization")
    power = _dcgm("DCGM_FI_DEV_POWER_USAGE", "dcgm_power_usage")
    heat = _dcgm("DCGM_FI_DEV_GPU_TEMP", "dcgm_gpu_temp")
    return {
        "tokens_per_s": over.generated(),
        "ttft_p95_s": over.quantile_of_all("ttft", 0.95),
        "queued": f"sum({gauge_of('waiting', group_by)})",
        "kv_cache": f"max({gauge_of('kv_cache', group_by)})",
        "vram_fraction": f"sum({vram})/sum({_each(f'{total}*{_MIB}', 'memory_total_bytes')})",
        "gpu_utilization": f"avg({_each(f'{busy}/100', 'utilization_gpu_ratio')})",
        "power_w": f"sum({_each(power, 'power_draw_watts')})",
        "temperature_c": f"max({_each(heat, 'temperature_gpu')})",
    }


def _dcgm(*names: str, by: Names = _CARD) -> str:
    """A figure of DCGM under its names, once a GPU, where the GPU has it."""
    return f"max by({','.join(by)})(({' or '.join(names)})<{BLANK:.0f})"


def _each(dcgm: str, smi: str) -> str:
    """A figure of every GPU: nvidia_gpu_exporter's of those that DCGM does not know."""
    found = f"max by(uuid)(nvidia_smi_{smi})"
    return f'{dcgm} or on(UUID) label_replace({found},"UUID","GPU-$1","uuid","(.*)")'


def protocol(
    stretch: Stretch, group_by: str | None
) -> Generator[Paths, Answers, tuple[Sample, ...] | Failure]:
    """The protocol of reading a stretch: samples at Unix times, oldest first.

    A figure whose query fails, or that nothing measures, is None; a failure where all queries fail.
    """
    wanted = range_queries(group_by, step_s(stretch))
    paths = {figure: _path(promql, stretch) for figure, promql in wanted.items()}
    answers = yield tuple(paths.values())
    found: dict[float, dict[str, float]] = {}
    failures: list[Failure] = []
    for figure, path in paths.items():
        try:
            points = series(answers[path])
        except BadData as problem:
            failures.append(_failure(answers[path], problem))
            continue
        for at, value in points:
            if known(value):
                found.setdefault(at, {})[figure] = value
    if len(failures) == len(paths):
        return failures[0]
    return tuple(Sample(at, **figures) for at, figures in sorted(found.items()))


def _failure(answer: Answer | Failure, problem: BadData) -> Failure:
    return advise(answer) if isinstance(answer, Failure) else Failure("bad-data", str(problem))


def _path(promql: str, stretch: Stretch) -> str:
    times = f"start={stretch.start:.3f}&end={stretch.end:.3f}&step={step_s(stretch):.3f}"
    return f"{PATH}?{times}&query={quote(promql, safe='(),:|')}"
