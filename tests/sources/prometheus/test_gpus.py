"""GPU exporters' series -> devices."""

from tests.sources.prometheus.asked import answer, read
from tokentop.domain.readings import DeviceReading
from tokentop.sources.json_fields import MIB

UUID = "GPU-df6e7a7c-7314-46f8-abc4-b88b36dcf3aa"
Sample = tuple[dict[str, str], object]


def dcgm(field: str, value: object, **labels: str) -> Sample:
    own = {"UUID": UUID, "gpu": "3", "modelName": "NVIDIA H100", "Hostname": "n1"}
    return {"__name__": f"DCGM_FI_{field}", **own, **labels}, value


def devices(*rows: Sample) -> tuple[DeviceReading, ...]:
    return read(gpus=answer(*rows)).devices


def test_dcgm_is_mebibytes_and_per_cent() -> None:
    """One row for a UUID, however many series; the total is used + free + reserved."""
    (gpu,) = devices(
        dcgm("DEV_FB_USED", 1000), dcgm("DEV_FB_FREE", 3000), dcgm("DEV_FB_RESERVED", 96),
        dcgm("DEV_GPU_UTIL", 42), dcgm("DEV_GPU_TEMP", 61), dcgm("DEV_POWER_USAGE", 300.5),
    )  # fmt: skip
    assert gpu == DeviceReading(
        3, UUID, "NVIDIA H100", "n1", 1000 * MIB, 4096 * MIB, 0.42, 61.0, 300.5
    )


def test_what_dcgm_does_not_support_is_unknown() -> None:
    """Its sentinels of each type are no figures, nor do they add up to a total."""
    (gpu,) = devices(
        dcgm("DEV_FB_USED", 1000), dcgm("DEV_FB_FREE", 2147483632),
        dcgm("DEV_POWER_USAGE", 140737488355328.0), dcgm("DEV_GPU_TEMP", 9223372036854775794),
        dcgm("DEV_GPU_UTIL", 101), dcgm("DEV_POWER_MGMT_LIMIT", "NaN"),
    )  # fmt: skip
    assert (gpu.vram_used_bytes, gpu.vram_total_bytes) == (1000 * MIB, None)
    assert (gpu.utilization, gpu.temperature_c, gpu.power_w, gpu.power_limit_w) == (None,) * 4


def test_an_exported_total_wins() -> None:
    """Where FB_TOTAL is exported it is the total, whatever the parts come to."""
    rows = (dcgm("DEV_FB_USED", 1), dcgm("DEV_FB_FREE", 2), dcgm("DEV_FB_TOTAL", 4))
    assert devices(*rows)[0].vram_total_bytes == 4 * MIB


def test_a_mig_instance_is_a_child_of_its_gpu() -> None:
    """Its memory is part of its parent's, so it names it; its utilisation is the engine's."""
    instance = {"GPU_I_ID": "7", "GPU_I_PROFILE": "1g.10gb"}
    parent, child = devices(
        dcgm("DEV_FB_USED", 8), dcgm("DEV_FB_USED", 2, **instance),
        dcgm("PROF_GR_ENGINE_ACTIVE", 0.25, **instance),
    )  # fmt: skip
    assert (parent.uuid, parent.mig, parent.vram_used_bytes) == (UUID, None, 8 * MIB)
    assert (child.mig, child.vram_used_bytes, child.utilization) == (UUID, 2 * MIB, 0.25)
    assert child.uuid != UUID
    assert child.name == "NVIDIA H100 MIG 1g.10gb"


def test_two_exporters_of_one_gpu_are_one_row() -> None:
    """nvidia_gpu_exporter leaves out the UUID's prefix; its bytes are bytes."""
    own = {"uuid": UUID[4:], "instance": "n1:9835"}
    (gpu,) = devices(
        dcgm("DEV_GPU_UTIL", 42),
        ({"__name__": "nvidia_smi_memory_used_bytes", **own}, 5000),
        ({"__name__": "nvidia_smi_memory_total_bytes", **own}, 3e9),
        ({"__name__": "nvidia_smi_gpu_info", **own, "name": "H100", "index": "3"}, 1),
    )
    assert (gpu.uuid, gpu.vram_used_bytes, gpu.vram_total_bytes) == (UUID, 5000, 3_000_000_000)
    assert gpu.utilization == 0.42


def test_gpus_without_a_uuid_are_distinguished_by_their_place() -> None:
    """An anonymised UUID is none: GPUs of several hosts must not become one."""
    nobody = "GPU-00000000-0000-0000-0000-000000000000"
    rows = [dcgm("DEV_FB_USED", 1, UUID=nobody, gpu=gpu) for gpu in "01"]
    rows.append(dcgm("DEV_FB_USED", 1, UUID="", Hostname="n2", gpu="0"))
    assert [(gpu.uuid, gpu.node, gpu.index) for gpu in devices(*rows)] == [
        (None, "n1", 0), (None, "n1", 1), (None, "n2", 0),
    ]  # fmt: skip


def test_the_host_of_an_exporter_without_host_names() -> None:
    """The instance without its port names the node."""
    own = {"uuid": "u", "instance": "[::1]:9835"}
    (gpu,) = devices(({"__name__": "nvidia_smi_utilization_gpu_ratio", **own}, 0.5))
    assert (gpu.node, gpu.uuid, gpu.utilization) == ("[::1]", "GPU-u", 0.5)
