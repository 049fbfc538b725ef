"""What the GPU page asks of the driver and of /proc, through the real pynvml."""

from pathlib import Path

import pytest

from tests.transport.nvml.conftest import Bench
from tokentop.domain.gpu_detail import GpuDetail

PAGE = "details power pids events page"
WATCHED = "details power pids events"
MIB = 1024 * 1024
HZ = 100  # clock ticks a second, on every Linux that runs NVML


def stat(pid: int, *, cpu: int = 0, started: int = 0, pages: int = 0, state: str = "R") -> str:
    """/proc/PID/stat as proc(5) describes it: fields 14, 15, 22 and 24."""
    fields = ["0"] * 50
    fields[0], fields[11], fields[12], fields[19], fields[21] = (
        state, str(cpu - cpu // 4), str(cpu // 4), str(started), str(pages),
    )  # fmt: skip
    return f"{pid} (vllm serve) {' '.join(fields)}\n"


class TestHardware:
    def test_clocks_links_and_ecc(self, bench: Bench):
        """Each figure in its unit, beside its limit; counters become rates by the driver's time."""
        later = bench.changed("page", **{"clock = 1000": "clock = 1004"})
        *_, last = bench.read("page", 0, 4, later, 8, wanted=PAGE)
        first, hot = (gpu["detail"] for gpu in last["devices"])
        assert first == GpuDetail(
            pstate=0, fan=None, sm_mhz=1410, sm_max_mhz=1980, memory_mhz=2619, memory_max_mhz=2619,
            pcie_generation=5, pcie_generation_max=5, pcie_width=16, pcie_width_max=16,
            pcie_rx_bytes_per_s=3_000_000 * 1024, pcie_tx_bytes_per_s=1_000_000 * 1024,
            nvlink_rx_bytes_per_s=18 * 2_000_000 * 1024,
            nvlink_tx_bytes_per_s=18 * 1_500_000 * 1024,
            ecc_corrected=0, ecc_uncorrected=0,
        )._asdict()  # fmt: skip
        assert (hot["fan"], hot["sm_mhz"], hot["ecc_corrected"], hot["ecc_uncorrected"]) == (
            0.72, 990, 12, 1,
        )  # fmt: skip
        assert (hot["pcie_generation"], hot["pcie_width"]) == (3, 8)

    def test_no_rate_before_the_second_reading(self, bench: Bench):
        """One reading of a counter is no rate: unknown, not 0."""
        detail = bench.read("page", 0, 4, wanted=PAGE)[-1]["devices"][0]["detail"]
        assert detail["pcie_rx_bytes_per_s"] is None
        assert detail["nvlink_tx_bytes_per_s"] is None
        assert detail["sm_mhz"] == 1410

    def test_a_driver_without_pcie_counters(self, bench: Bench):
        """Before R525 the driver samples PCIe for 20 ms instead, and answers at once."""
        old = bench.changed(
            "page", "fault.field.197 = NOT_SUPPORTED", "fault.field.198 = NOT_SUPPORTED"
        )
        detail = bench.read(old, 0, 4, wanted=PAGE)[-1]["devices"][1]["detail"]
        assert detail["pcie_rx_bytes_per_s"] == 3_000_000 * 1024
        assert detail["pcie_tx_bytes_per_s"] == 1_000_000 * 1024

    def test_what_a_card_does_not_have_is_unknown(self, bench: Bench):
        """A desktop card has a fan and no ECC or NVLink; nothing of that is a fault."""
        gpu = bench.read("rtx4090", 0, 4, wanted=PAGE)[-1]["devices"][0]
        assert (gpu["detail"]["fan"], gpu["detail"]["pstate"]) == (0.30, 8)
        assert gpu["detail"]["ecc_uncorrected"] is None
        assert gpu["detail"]["nvlink_rx_bytes_per_s"] is None
        assert (gpu["state"], gpu["note"]) == ("ok", None)

    def test_unified_memory(self, bench: Bench):
        """A GPU without memory of its own has an SM clock and no memory clock."""
        gpu = bench.read("gb10", 0, 4, wanted=PAGE)[-1]["devices"][0]
        assert (gpu["detail"]["sm_mhz"], gpu["detail"]["sm_max_mhz"]) == (208, 3003)
        assert gpu["detail"]["memory_mhz"] is None
        assert (gpu["state"], gpu["note"]) == ("ok", None)

    def test_nothing_of_it_without_the_page(self, bench: Bench):
        """The dashboard asks for none of it."""
        gpu = bench.read("page", 0, 4, wanted=WATCHED)[-1]["devices"][0]
        assert gpu["detail"] is None
        assert gpu["processes"][0]["detail"] is None
        assert not {name for name in bench.calls() if "Clock" in name and "Reasons" not in name}


class TestThrottling:
    def test_the_reason_in_words_the_worst_first(self, bench: Bench):
        """From the second poll on, on the dashboard too; an idle GPU is not throttled."""
        first, second = bench.read("page", 0, 4)
        assert [gpu["throttle"] for gpu in first["devices"]] == [None, None]
        assert [gpu["throttle"] for gpu in second["devices"]] == [
            ["power-cap"], ["hw-thermal", "power-cap"],
        ]  # fmt: skip
        assert bench.read("rtx4090", 0, 4)[-1]["devices"][0]["throttle"] == []

    def test_a_driver_with_the_old_name_only(self, bench: Bench):
        """Before R535 the call is called by its old name."""
        gpu = bench.read("page", 0, 4, library=bench.fake.old_driver)[-1]["devices"][0]
        assert gpu["throttle"] == ["power-cap"]


class TestXid:
    def test_an_error_that_comes_while_we_watch(self, bench: Bench):
        """It is told once, with the time, and stays."""
        failing = bench.changed("page", "[device 0]", "xid = 48", "xid = 63")
        times = (0, 4, failing, 8, 12)
        *_, first, second = bench.read("page", *times, wanted=WATCHED)
        assert [gpu["xids"] for gpu in first["devices"]] == [[[48, 8.0], [63, 8.0]], []]
        assert first["devices"][0]["xids"] == second["devices"][0]["xids"]

    def test_why_a_gpu_fell_off_the_bus(self, bench: Bench):
        """The Xid of a GPU that is lost is known, also after NVML was started anew."""
        lost = bench.changed("page", "[device 0]", "xid = 79", "fault.* = GPU_IS_LOST")
        *_, first, later = bench.read("page", 0, 4, lost, 8, 60, wanted=WATCHED)
        assert (first["devices"][0]["state"], first["devices"][0]["xids"]) == ("lost", [[79, 8.0]])
        assert later["devices"][0]["xids"] == [[79, 8.0]]

    @pytest.mark.parametrize(
        "fault",
        ["nvmlDeviceGetSupportedEventTypes", "nvmlDeviceRegisterEvents", "nvmlEventSetCreate"],
    )
    def test_a_driver_without_events(self, bench: Bench, fault: str):
        """Where nobody can listen (WSL, a vGPU) there is no error, and no fault is made of it."""
        deaf = bench.changed("page", "[system]", f"fault.{fault} = NOT_SUPPORTED", "[device 0]",
                             "xid = 48 after=0.001")  # fmt: skip
        gpu = bench.read(deaf, 0, 4, 8, wanted=WATCHED)[-1]["devices"][0]
        assert (gpu["state"], gpu["note"], gpu["xids"]) == ("ok", None, [])


class TestCalls:
    @pytest.mark.parametrize("scenario", ["eight", "rtx4090", "page"])
    def test_the_dashboard_stays_within_twelve(self, bench: Bench, scenario: str):
        """Every poll, with throttling and events: no more than 12 calls on any GPU."""
        bench.read(scenario, *range(0, 68, 4), wanted=WATCHED)
        own: dict[int, int] = {}
        polls = 17
        for _, device, _ in bench.traced():
            own[device] = own.get(device, 0) + 1
        gpus = [count for device, count in own.items() if device >= 0]
        waits = bench.calls().get("nvmlEventSetWait_v2", 0) / len(gpus)
        assert max(gpus) + waits <= 12 * polls

    def test_seven_mig_instances_leave_no_room(self, bench: Bench):
        """They take the twelve calls themselves; what holds the clocks down is for the page."""
        bench.read("mig_h100_7", 0, 4, wanted=WATCHED)
        assert not {name for name in bench.calls() if "Event" in name}
        gpu = bench.read("mig_h100_7", 0, 4, wanted=PAGE)[-1]["devices"][0]
        assert gpu["throttle"] == []


class TestProcesses:
    def test_shares_memory_age_and_command(self, bench: Bench):
        """CPU by its own clock ticks, memory in bytes, age since its start, the SM share."""
        command = "/opt/venv/bin/python\0/opt/venv/bin/vllm\0serve\0Qwen/Qwen3-32B\0--port\08000\0"
        bench.process(4100000, command, stat=stat(4100000, cpu=500, started=6000, pages=1000))
        (bench.proc / "uptime").write_text("100.00 50.00\n")
        later = {
            "proc": {
                "uptime": "104.00 50.00\n",
                "4100000/stat": stat(4100000, cpu=1300, started=6000, pages=2000),
            }
        }
        *_, first, second = bench.read("page", 0, 4, later, 8, wanted=PAGE)
        before, after = (each["devices"][0]["processes"][0]["detail"] for each in (first, second))
        assert (before["cpu"], before["age_s"], before["sm"]) == (None, 40.0, 0.91)
        assert after["cpu"] == pytest.approx(2.0)  # 8 s of CPU in 4 s
        assert after["memory_bytes"] == 2000 * _page_size()
        assert (after["age_s"], after["started"]) == (44.0, 6000)
        assert after["command"] == (
            "/opt/venv/bin/python /opt/venv/bin/vllm serve Qwen/Qwen3-32B --port 8000"
        )

    def test_on_two_gpus_it_is_measured_once(self, bench: Bench):
        """The second GPU's row has the first one's share, not one of a moment."""
        bench.process(4100000, "vllm\0", stat=stat(4100000, cpu=500, started=6000))
        (bench.proc / "uptime").write_text("100.00 50.00\n")
        later = {"uptime": "104.00 1\n", "4100000/stat": stat(4100000, cpu=700, started=6000)}
        last = bench.read("page", 0, 4, {"proc": later}, 8, wanted=PAGE)[-1]
        shares = [gpu["processes"][0]["detail"]["cpu"] for gpu in last["devices"]]
        assert shares == [pytest.approx(0.5)] * 2

    def test_a_pid_that_is_used_again(self, bench: Bench):
        """Another process under the same number begins anew: no share, its own command."""
        bench.process(4100000, "first\0", stat=stat(4100000, cpu=500, started=6000))
        (bench.proc / "uptime").write_text("100.00 50.00\n")
        later = {
            "uptime": "104.00 1\n", "4100000/cmdline": "second\0",
            "4100000/stat": stat(4100000, cpu=900, started=10100),
        }  # fmt: skip
        last = bench.read("page", 0, 4, {"proc": later}, 8, wanted=PAGE)[-1]
        detail = last["devices"][0]["processes"][0]["detail"]
        assert (detail["cpu"], detail["age_s"], detail["command"]) == (None, 3.0, "second")

    def test_one_of_another_container(self, bench: Bench):
        """What /proc does not have is unknown; its share of the GPU is known all the same."""
        detail = bench.read("page", 0, 4, wanted=PAGE)[-1]["devices"][0]["processes"][0]["detail"]
        assert detail["sm"] == 0.91
        assert (detail["cpu"], detail["memory_bytes"], detail["command"]) == (None, None, None)

    def test_no_share_where_the_driver_tells_none(self, bench: Bench):
        """A MIG GPU has no process utilisation: unknown."""
        bench.process(4100000, "vllm\0", stat=stat(4100000))
        last = bench.read("mig_h100_7", 0, 4, wanted=PAGE)[-1]
        instance = next(gpu for gpu in last["devices"] if gpu["mig"] and gpu["processes"])
        assert instance["processes"][0]["detail"]["sm"] is None
        assert instance["processes"][0]["detail"]["command"] == "vllm"
        assert all(gpu["state"] == "ok" and gpu["note"] is None for gpu in last["devices"])


def _page_size() -> int:
    return int(Path("/proc/self/smaps").read_text().split("KernelPageSize:")[1].split()[0]) * 1024
