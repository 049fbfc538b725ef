"""A GPU that runtime power management has suspended is shown and left asleep."""

from pathlib import Path

from tests.transport.nvml.conftest import Bench
from tokentop.transport.nvml.power_state import address, look, may_sleep, nvidia_gpus

FIRST, SECOND = "0000:01:00.0", "0000:02:00.0"


def scenario(bench: Bench) -> dict:
    """Two GPUs at FIRST and SECOND."""
    path = bench.folder / "two.scn"
    path.write_text(
        "[system]\ncount = 2\n[device *]\npreset = rtx4090\nmem_used = 1GiB\n"
        f"[device 0]\nbus_id = {FIRST[:-2]}\n[device 1]\nbus_id = {SECOND[:-2]}\n"
    )
    return {"scenario": str(path)}


class TestSysfs:
    def test_only_nvidia_display_devices(self, bench: Bench):
        """Its own audio function, another maker's GPU and a GPU given to a guest are not ours."""
        bench.pci(SECOND)
        bench.pci(FIRST, **{"class": "0x030000"})
        bench.pci("0000:01:00.1", **{"class": "0x040300"})
        bench.pci("0000:03:00.0", vendor="0x1002")
        bench.pci("0000:04:00.0", driver="vfio-pci")
        assert nvidia_gpus(str(bench.sysfs)) == (FIRST, SECOND)

    def test_status(self, bench: Bench):
        """Suspended and suspending sleep; active, resuming and unsupported do not."""
        for slot, status in enumerate(
            ("active", "suspended", "suspending", "resuming", "unsupported"), start=1
        ):
            bench.pci(f"0000:0{slot}:00.0", status=status)
        gpus = nvidia_gpus(str(bench.sysfs))
        assert look(gpus, str(bench.sysfs)).asleep == ("0000:02:00.0", "0000:03:00.0")

    def test_no_sysfs(self, tmp_path: Path):
        """Elsewhere than on Linux nobody sleeps and nothing fails."""
        assert nvidia_gpus(str(tmp_path / "none")) == ()
        assert not look((), str(tmp_path)).all_asleep

    def test_power_management_switched_off(self, bench: Bench):
        """With control "on" a GPU never sleeps; unknown counts as may."""
        bench.pci(FIRST)
        assert may_sleep((FIRST,), str(bench.sysfs))
        control = bench.sysfs / "bus/pci/devices" / FIRST / "power/control"
        control.write_text("on\n")
        assert not may_sleep((FIRST,), str(bench.sysfs))

    def test_nvmls_spelling_of_an_address(self):
        """Eight digits of domain in capitals become sysfs' four; what is none is None."""
        assert address("00000000:C1:00.0") == "0000:c1:00.0"
        assert address("00010000:01:00.0") == "10000:01:00.0"
        assert address("000F:01:00") == "000f:01:00.0"
        assert address("not an address") is None


class TestReader:
    def test_all_asleep(self, bench: Bench):
        """Not even pynvml is loaded, and every GPU is shown as suspended."""
        bench.pci(FIRST, status="suspended")
        reading = bench.read("four")[0]
        assert not reading["pynvml"]
        assert not bench.log.exists()
        (gpu,) = reading["devices"]
        assert (gpu["state"], gpu["name"]) == ("suspended", f"NVIDIA GPU {FIRST}")
        assert "not woken" in gpu["note"]
        assert gpu["vram_used_bytes"] is None

    def test_it_wakes(self, bench: Bench):
        """Once somebody else woke it, it is read as usual."""
        bench.pci(FIRST, status="suspended")
        wakes = {"sysfs": {FIRST: "active"}}
        first, second = bench.read("rtx4090", 0, wakes, 4)
        assert first["devices"][0]["state"] == "suspended"
        assert second["devices"][0]["state"] == "ok"

    def test_one_asleep_from_the_start(self, bench: Bench):
        """Its handle is never got: that would resume it. The other is found by its address."""
        bench.pci(FIRST, status="suspended")
        bench.pci(SECOND)
        (reading,) = bench.read("four", scenario(bench), 0)
        states = {gpu["state"]: gpu for gpu in reading["devices"]}
        assert set(states) == {"ok", "suspended"}
        assert states["ok"]["index"] == 1
        assert states["suspended"]["name"] == f"NVIDIA GPU {FIRST}"
        assert "nvmlDeviceGetHandleByIndex_v2" not in bench.calls()
        assert bench.calls()["nvmlDeviceGetHandleByPciBusId_v2"] == 1
        assert 0 not in {device for _, device, _ in bench.traced()}

    def test_one_asleep_and_one_lost(self, bench: Bench):
        """A lost GPU found by address says so; an address that NVML does not list is not ours."""
        bench.pci(FIRST, status="suspended")
        bench.pci(SECOND)
        bench.pci("0000:77:00.0")
        two = scenario(bench)
        with open(two["scenario"], "a") as file:
            file.write("fault.* = GPU_IS_LOST\n")
        (reading,) = bench.read("four", two, 0)
        states = {gpu["name"]: gpu["state"] for gpu in reading["devices"]}
        assert states == {f"NVIDIA GPU {FIRST}": "suspended", f"NVIDIA GPU {SECOND}": "lost"}

    def test_the_sleeper_of_a_pair_wakes(self, bench: Bench):
        """It is found by its address as soon as it is awake."""
        bench.pci(FIRST, status="suspended")
        bench.pci(SECOND)
        wakes = {"sysfs": {FIRST: "active"}}
        _, after = bench.read("four", scenario(bench), 0, wakes, 4)
        assert [(gpu["index"], gpu["state"]) for gpu in after["devices"]] == [(0, "ok"), (1, "ok")]

    def test_falling_asleep_later(self, bench: Bench):
        """From then on it is not asked, and shown with the name and size that were learned."""
        bench.pci(FIRST)
        bench.pci(SECOND)
        sleeps = {"sysfs": {SECOND: "suspended"}}
        first, second = bench.read("four", scenario(bench), 0, sleeps, 4)
        before, after = first["devices"][1], second["devices"][1]
        assert (before["state"], after["state"]) == ("ok", "suspended")
        for fact in ("index", "uuid", "name", "vram_total_bytes", "power_limit_w"):
            assert after[fact] == before[fact]
        assert after["vram_used_bytes"] is None
        asked = [device for _, device, _ in bench.traced()]
        assert asked.count(0) > asked.count(1)

    def test_all_fall_asleep_later(self, bench: Bench):
        """With all GPUs asleep NVML is not called at all."""
        bench.pci(FIRST)
        wakes, sleeps = {"sysfs": {FIRST: "active"}}, {"sysfs": {FIRST: "suspended"}}
        bench.read("four", scenario(bench), 0)
        once = sum(bench.calls().values())
        _, second, third = bench.read("four", scenario(bench), wakes, 0, sleeps, 4, 8)
        assert sum(bench.calls().values()) == once
        assert second["devices"][0]["state"] == third["devices"][0]["state"] == "suspended"
        assert second["devices"][0]["name"] == "NVIDIA GeForce RTX 4090"
