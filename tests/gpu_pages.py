"""Example snapshots as the GPU page has them: with clocks, links, faults and processes' shares."""

from tests.box import Box, device, process
from tests.engine_examples import GEMMA, LLAMA, QWEN, box, held_gpus
from tests.examples import pool
from tests.serving import NOW
from tokentop.domain.gpu_detail import GpuDetail, ProcessDetail, ThrottleReason
from tokentop.domain.readings import DeviceReading
from tokentop.domain.snapshot import Process, Snapshot

GIB = 2**30
H200 = GpuDetail(
    pstate=0, sm_mhz=1980, sm_max_mhz=1980, memory_mhz=3201, memory_max_mhz=3201,
    pcie_generation=5, pcie_generation_max=5, pcie_width=16, pcie_width_max=16,
    pcie_rx_bytes_per_s=3.1 * GIB, pcie_tx_bytes_per_s=0.9 * GIB,
    nvlink_rx_bytes_per_s=84.0 * GIB, nvlink_tx_bytes_per_s=81.5 * GIB,
    ecc_corrected=0, ecc_uncorrected=0,
)  # fmt: skip
CAPPED = H200._replace(sm_mhz=1410)
IDLE = H200._replace(
    sm_mhz=345, pcie_generation=1, pcie_rx_bytes_per_s=0.0, pcie_tx_bytes_per_s=2048.0,
    nvlink_rx_bytes_per_s=0.0, nvlink_tx_bytes_per_s=0.0,
)  # fmt: skip
ON_33 = "GPU-00000021-0000-4000-8000-000000000000 4275"  # the cursor on a process of GPU 33
VLLM = "python -m vllm.entrypoints.openai.api_server --model qwen3.6-27b --tensor-parallel-size 4"


def used(one: Process, sm: float | None, cpu: float, memory: float, age_s: float,
         command: str) -> Process:  # fmt: skip
    """The process with what it takes; memory in GiB."""
    detail = ProcessDetail(sm, cpu, round(memory * GIB), age_s, command, 120_000 + one.pid)
    return one._replace(detail=detail)


def page(
    reading: DeviceReading,
    detail: GpuDetail,
    *throttle: ThrottleReason,
    xids: tuple[tuple[int, float], ...] = (),
) -> DeviceReading:
    return reading._replace(detail=detail, throttle=throttle, xids=xids)


def cards() -> tuple[DeviceReading, ...]:
    """Four GPUs of one engine, one in trouble, one shared by three, two idle."""
    first, *others = held_gpus()
    workers = [
        gpu._replace(processes=tuple(
            used(p, 0.97 - 0.01 * i, 1.02, 6.4, 273_000.0, VLLM) for p in gpu.processes or ()
        ))
        for i, gpu in enumerate((first, *others[:3]))
    ]  # fmt: skip
    sglang, xorg = others[3].processes or ()
    shared = [
        used(p, 0.2, 3.5, 40.1, 7_300.0, c)
        for p, c in zip(
            others[4].processes or (),
            ("llama-server -m /srv/m.gguf --api-key ***", "python train.py --epochs 90", "comfyui"),
            strict=True,
        )
    ]
    ill = others[3]._replace(
        processes=(used(sglang, 0.91, 0.88, 11.0, 90.0, "sglang::scheduler"),
                   used(xorg, None, 0.01, 0.2, 3e5, "/usr/lib/Xorg :0"))
    )  # fmt: skip
    return (
        page(workers[0], CAPPED, "power-cap"),
        page(workers[1], CAPPED, "power-cap"),
        page(workers[2], H200._replace(pcie_width=8)),
        page(workers[3], H200, "hw-thermal", "power-cap"),
        page(ill, H200._replace(ecc_corrected=1204, ecc_uncorrected=2), xids=((48, NOW - 65.0),
             (63, NOW - 64.0))),
        page(others[4]._replace(processes=tuple(shared)), H200, "app-clocks"),
        page(others[5], IDLE),
        page(others[6], IDLE),
    )  # fmt: skip


def at_work() -> Snapshot:
    """A box of engines: weights and KV cache of one are known apart, of the others not."""
    return box(QWEN, GEMMA, LLAMA).gpus(*cards()).snapshot()


def many() -> Snapshot:
    """Sixty-four GPUs, one of them throttled, another with an error."""
    found = [page(gpu, H200) for gpu in pool(0.72, 64)]
    found[33] = page(found[33], CAPPED, "sw-thermal")
    found[40] = page(found[40], H200, xids=((31, NOW - 5.0),))
    return Box().gpus(*found).snapshot()


def mig() -> Snapshot:
    """An A100 in three instances: the links are the card's, the processes the instances'."""
    parent = device(0, 29.3, 80.0, name="NVIDIA A100-SXM4-80GB", utilization=None)
    a100 = H200._replace(sm_max_mhz=1410, sm_mhz=1410, memory_mhz=1593, memory_max_mhz=1593,
                         pcie_generation=4, pcie_generation_max=4)  # fmt: skip
    parts = [
        device(0, size, 19.6, used(process(4242 + i, "vllm", "serve", size), None, 1.0, 3.0, 600.0,
                                   "vllm serve gemma4-12b"), name=f"{parent.name} MIG 2g.20gb",
               uuid=f"MIG-{i}", mig=parent.uuid, mig_slot=i, utilization=None)
        for i, size in enumerate((18.2, 11.0, 0.1))
    ]  # fmt: skip
    return Box().gpus(page(parent, a100), *parts).snapshot()


def lost() -> Snapshot:
    """A GPU that fell off the bus, with its Xid; another whose driver tells nothing of clocks."""
    working = cards()
    gone = working[1]._replace(
        state="lost", note="fell off the bus: see dmesg for Xid, reset or reboot",
        detail=None, throttle=None, xids=((79, NOW - 12.0),),
    )  # fmt: skip
    mute = working[6]._replace(detail=GpuDetail(), throttle=None)
    made = box(QWEN, GEMMA, LLAMA).gpus(*working, age_s=12.0)
    return made.gpus(working[0], gone, *working[2:6], mute, working[7]).snapshot()


def unified() -> Snapshot:
    """A GB10: memory shared with the CPU, no fan, no ECC, no NVLink, no memory clock."""
    llama = used(process(6161, "llama-server", "me", 61.0), 0.71, 0.2, 61.9, 5_000.0,
                 "llama-server -m /srv/gpt-oss-120b.gguf")  # fmt: skip
    gb10 = device(0, None, 1.0, llama, name="NVIDIA GB10", vram_total_bytes=None, utilization=0.71,
                  memory_shared=True, power_limit_w=None)  # fmt: skip
    detail = GpuDetail(pstate=0, sm_mhz=2418, sm_max_mhz=3003, pcie_generation=1, pcie_width=1)
    return Box().gpus(page(gb10, detail)).snapshot()
