"""GPU exporters' series, one at a time: the name, the unit, the figure that it is."""

import pytest

from tests.sources.prometheus.asked import answer, read, row
from tests.sources.prometheus.promql import Row, Server
from tokentop.domain.readings import DeviceReading
from tokentop.sources.json_fields import MIB
from tokentop.sources.prometheus.queries import queries

OWN = {"UUID": "GPU-a", "Hostname": "n1"}


def device(**series: float) -> DeviceReading:
    rows = [({"__name__": name, **OWN}, value) for name, value in series.items()]
    (found,) = read(gpus=answer(*rows)).devices
    return found


@pytest.mark.parametrize(
    ("series", "value", "field", "read_as"),
    [
        ("DCGM_FI_DEV_FB_USED", 3, "vram_used_bytes", 3 * MIB),
        ("dcgm_fb_used", 3, "vram_used_bytes", 3 * MIB),
        ("nvidia_smi_memory_used_bytes", 3, "vram_used_bytes", 3),
        ("DCGM_FI_DEV_FB_TOTAL", 3, "vram_total_bytes", 3 * MIB),
        ("nvidia_smi_memory_total_bytes", 3, "vram_total_bytes", 3),
        ("DCGM_FI_DEV_GPU_UTIL", 42, "utilization", 0.42),
        ("dcgm_gpu_utilization", 42, "utilization", 0.42),
        ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.42, "utilization", 0.42),
        ("nvidia_smi_utilization_gpu_ratio", 0.42, "utilization", 0.42),
        ("DCGM_FI_DEV_GPU_TEMP", 61, "temperature_c", 61.0),
        ("dcgm_gpu_temp", 61, "temperature_c", 61.0),
        ("nvidia_smi_temperature_gpu", 61, "temperature_c", 61.0),
        ("DCGM_FI_DEV_POWER_USAGE", 300.5, "power_w", 300.5),
        ("dcgm_power_usage", 300.5, "power_w", 300.5),
        ("nvidia_smi_power_draw_watts", 300.5, "power_w", 300.5),
        ("DCGM_FI_DEV_POWER_MGMT_LIMIT", 700, "power_limit_w", 700.0),
        ("nvidia_smi_enforced_power_limit_watts", 700, "power_limit_w", 700.0),
    ],
)
def test_one_series_is_one_figure(series: str, value: float, field: str, read_as: object) -> None:
    found = device(**{series: value})
    assert getattr(found, field) == read_as
    others = ("vram_used_bytes", "vram_total_bytes", "utilization", "temperature_c", "power_w",
              "power_limit_w")  # fmt: skip
    assert {getattr(found, name) for name in others if name != field} == {None}


@pytest.mark.parametrize(
    "names",
    [("DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE"), ("dcgm_fb_used", "dcgm_fb_free")],
)
def test_used_and_free_make_the_total(names: tuple[str, str]) -> None:
    assert device(**dict(zip(names, (1, 2), strict=True))).vram_total_bytes == 3 * MIB


def test_a_group_of_many_names_shows_four_of_them() -> None:
    """Several models on one server are one group of their names, in their order."""
    rows = [row("vllm:num_requests_running", 1, model_name=name) for name in "edcba"]
    (engine,) = read("model_name", gauges=answer(*rows)).engines
    assert engine.group == "a, b, c, d"


def test_0_is_a_figure_and_less_is_none() -> None:
    """An idle GPU has nothing allocated and may draw nothing that its sensor sees."""
    idle = device(DCGM_FI_DEV_FB_USED=0, DCGM_FI_DEV_GPU_UTIL=0, DCGM_FI_DEV_POWER_USAGE=0)
    assert (idle.vram_used_bytes, idle.utilization, idle.power_w) == (0, 0.0, 0.0)
    broken = device(
        DCGM_FI_DEV_GPU_TEMP=61, DCGM_FI_DEV_FB_USED=-1, DCGM_FI_DEV_GPU_UTIL=-1,
        DCGM_FI_DEV_POWER_USAGE=-1,
    )  # fmt: skip
    assert (broken.vram_used_bytes, broken.utilization, broken.power_w) == (None, None, None)


@pytest.mark.parametrize(("percent", "ratio"), [(100, 1.0), (100.5, None)])
def test_utilization_ends_at_1(percent: float, ratio: float | None) -> None:
    assert device(DCGM_FI_DEV_GPU_UTIL=percent).utilization == ratio


@pytest.mark.parametrize(
    ("series", "labels"),
    [
        *(
            (name, {"UUID": "GPU-a", "gpu": "3", "modelName": "H100", "Hostname": "n1",
                    "GPU_I_ID": "7", "GPU_I_PROFILE": "1g.10gb"})
            for name in (
                "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_FB_TOTAL",
                "DCGM_FI_DEV_FB_RESERVED", "DCGM_FI_DEV_GPU_UTIL",
                "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_DEV_GPU_TEMP",
                "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_POWER_MGMT_LIMIT", "dcgm_fb_used",
                "dcgm_fb_free", "dcgm_gpu_utilization", "dcgm_gpu_temp", "dcgm_power_usage",
            )
        ),
        *(
            (name, {"uuid": "a", "name": "H100", "index": "3", "instance": "n1:9835"})
            for name in (
                "nvidia_smi_memory_used_bytes", "nvidia_smi_memory_total_bytes",
                "nvidia_smi_utilization_gpu_ratio", "nvidia_smi_temperature_gpu",
                "nvidia_smi_power_draw_watts", "nvidia_smi_enforced_power_limit_watts",
                "nvidia_smi_gpu_info",
            )
        ),
    ],
)  # fmt: skip
def test_the_query_returns_every_series_with_its_labels(
    series: str, labels: dict[str, str]
) -> None:
    """Evaluated as PromQL over one stored sample; what is not ours is not returned."""
    stored = [(Row({"__name__": name, **labels, "job": "x"}, 1.0), 0.0) for name in (series, "up")]
    (found,) = Server(stored).query(dict(queries(None))["gpus"])
    assert {name: value for name, value in found.labels.items() if value} == {
        "__name__": series,
        **labels,
    }
