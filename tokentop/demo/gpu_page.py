"""What the simulated driver says on the GPU page, by how busy a GPU is."""

from tokentop.domain.gpu_detail import GpuDetail, ProcessDetail, ThrottleReason
from tokentop.domain.readings import DeviceReading
from tokentop.domain.snapshot import Process
from tokentop.light_typing import Final

_SERVERS: Final = {
    "vllm": "python -m vllm.entrypoints.openai.api_server --model qwen3.6-27b"
    " --gpu-memory-utilization 0.92 --max-num-seqs 48 --port 8000",
    "sglang": "python -m sglang.launch_server --model-path gemma4-12b --tp 2 --port 30000",
    "llama-server": "llama-server -m /srv/models/gemma4-12b-q8.gguf -np 8 --port 8080",
    "whisper-server": "whisper-server --model large-v3 --port 9000",
    "jupyter": "jupyter lab --no-browser --port 8888",
}
_GIB: Final = 2**30
_THROTTLED_FROM: Final = 0.93  # busy share at which the power limit holds the clocks down


def detailed(device: DeviceReading, t: float) -> DeviceReading:
    """The GPU as the page shows it at demo time `t`."""
    busy = device.utilization or 0.0
    server = "RTX" not in (device.name or "")
    throttled: tuple[ThrottleReason, ...] = ("power-cap",) if busy >= _THROTTLED_FROM else ()
    top, memory = (1980, 3201) if server else (3105, 10501)
    return device._replace(
        throttle=throttled,
        detail=GpuDetail(
            pstate=0 if busy > 0.05 or server else 8,
            fan=None if server else round(0.3 + 0.5 * busy, 2),
            sm_mhz=round(top * (0.18 + 0.82 * min(1.0, 3 * busy)) * (0.86 if throttled else 1.0)),
            sm_max_mhz=top,
            memory_mhz=memory,
            memory_max_mhz=memory,
            pcie_generation=5 if server else 4,
            pcie_generation_max=5 if server else 4,
            pcie_width=16,
            pcie_width_max=16,
            pcie_rx_bytes_per_s=3.1 * _GIB * busy,
            pcie_tx_bytes_per_s=1.2 * _GIB * busy,
            nvlink_rx_bytes_per_s=84 * _GIB * busy if server else None,
            nvlink_tx_bytes_per_s=81 * _GIB * busy if server else None,
            ecc_corrected=0 if server else None,
            ecc_uncorrected=0 if server else None,
        ),
        processes=tuple(
            _used(one, busy, t, place) for place, one in enumerate(device.processes or ())
        ),
    )


def _used(process: Process, busy: float, t: float, place: int) -> Process:
    first = place == 0
    return process._replace(
        detail=ProcessDetail(
            sm=round(busy * (0.95 if first else 0.04), 2),
            cpu=round(0.4 + 2.1 * busy, 2) if first else 0.02,
            memory_bytes=round((18.4 if first else 1.1) * _GIB),
            age_s=t + 86_400.0 * (3 if first else 1),
            command=_SERVERS.get(process.name or "", process.name),
            started=None,
        )
    )
