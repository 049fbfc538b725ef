"""What the reader makes of each machine, through the real pynvml."""

import getpass
import shutil

import pytest

from tests.fake_nvml import NO_COMPILER, CannotBuild, build
from tests.transport.nvml.conftest import Bench

MIB = 1024 * 1024


class TestFigures:
    def test_every_figure_of_a_healthy_gpu(self, bench: Bench):
        """Name, UUID, VRAM, utilisation, temperature, power, limit and processes, in our units."""
        gpu = bench.devices("rtx4090")[0]
        assert gpu["index"] == 0
        assert gpu["name"] == "NVIDIA GeForce RTX 4090"
        assert gpu["uuid"].startswith("GPU-")
        assert gpu["vram_used_bytes"] == 18900 * MIB
        assert (gpu["utilization"], gpu["temperature_c"]) == (0.87, 66.0)
        assert (gpu["power_w"], gpu["power_limit_w"]) == (389.0, 450.0)
        assert gpu["slowdown_c"] == 92.0
        assert (gpu["state"], gpu["note"], gpu["mig"]) == ("ok", None, None)

    def test_reserved_is_not_used(self, bench: Bench):
        """An idle GPU uses 0 bytes although the driver reserves some of its memory."""
        assert bench.devices("eight")[7]["vram_used_bytes"] == 0
        assert bench.calls()["nvmlDeviceGetMemoryInfo_v2"] == 8
        assert "nvmlDeviceGetMemoryInfo" not in bench.calls()

    @pytest.mark.parametrize(("scenario", "count"), [("eight", 8), ("sixty_four", 64)])
    def test_many_gpus_in_the_drivers_order(self, bench: Bench, scenario: str, count: int):
        """Every GPU is there once, by index."""
        gpus = bench.devices(scenario)
        assert [gpu["index"] for gpu in gpus] == list(range(count))
        assert len({gpu["uuid"] for gpu in gpus}) == count

    def test_driver_version(self, bench: Bench):
        """The version is said with the reading."""
        assert bench.read("eight")[0]["driver"] == "580.95.05"

    def test_unified_memory(self, bench: Bench):
        """A GPU with no framebuffer has unknown VRAM, never 0, and says that memory is shared."""
        gpu = bench.devices("gb10")[0]
        assert (gpu["vram_used_bytes"], gpu["vram_total_bytes"]) == (None, None)
        assert (gpu["memory_shared"], gpu["power_limit_w"]) == (True, None)
        assert (gpu["utilization"], gpu["state"], gpu["note"]) == (0.71, "ok", None)
        assert gpu["processes"][0]["vram_bytes"] == 61000 * MIB

    def test_slow_driver(self, bench: Bench):
        """A driver that needs 800 ms is waited for here; the thread keeps that from others."""
        assert bench.devices("slow")[0]["utilization"] == 0.12

    def test_old_driver(self, bench: Bench):
        """Without the v2 and v3 calls the first versions answer, and are asked directly later."""
        first, second = bench.read("old_driver", 0, 4, library=bench.fake.old_driver)
        for reading in (first, second):
            gpu = reading["devices"][0]
            assert gpu["vram_total_bytes"] == 15360 * MIB
            assert 4000 * MIB < gpu["vram_used_bytes"] < 4500 * MIB  # with what is reserved
            assert gpu["processes"][0]["vram_bytes"] == 3900 * MIB
            assert (gpu["note"], gpu["memory_shared"]) == (None, False)


class TestRefusals:
    def test_one_gpu_refused_the_others_live(self, bench: Bench):
        """A GPU that may not be opened says so in words in its own place."""
        first, refused, third = bench.devices("one_refused")
        assert first["state"] == "ok"
        assert refused["index"] == 1
        assert refused["state"] == "error"
        assert refused["note"] == "this user may not open it"
        assert refused["vram_used_bytes"] is None
        assert third["state"] == "ok"

    def test_one_question_refused(self, bench: Bench):
        """A GPU that will not tell its temperature tells the rest."""
        gpu = bench.devices("one_refused")[2]
        assert gpu["temperature_c"] is None
        assert gpu["vram_used_bytes"] == 30000 * MIB
        assert "Temperature" in gpu["note"]

    @pytest.mark.parametrize("wanted", ["details power pids", "none"])
    def test_nothing_but_a_name(self, bench: Bench, wanted: str):
        """A GPU that tells its name and UUID, and no figure, is in error from the first poll on."""
        mute = bench.changed(
            "four",
            "[device 1]",
            "fault.nvmlDeviceGet* = UNKNOWN",
            "fault.nvmlDeviceGetName = SUCCESS",
            "fault.nvmlDeviceGetUUID = SUCCESS",
            "fault.nvmlDeviceGetHandleByIndex* = SUCCESS",
        )
        for reading in bench.read(mute, 0, 4, wanted=wanted):
            assert [gpu["state"] for gpu in reading["devices"]] == ["ok", "error", "ok", "ok"]
            assert "the driver says: Unknown Error" in reading["devices"][1]["note"]

    def test_process_lists_refused(self, bench: Bench):
        """No rights on the process list: unknown, not an empty list."""
        gpu = bench.devices("no_permission_procs")[0]
        assert gpu["processes"] is None
        assert gpu["note"] == "the process list needs more rights"
        assert gpu["state"] == "ok"

    def test_a_refused_question_is_not_repeated_at_every_poll(self, bench: Bench):
        """What the driver never answers is asked once a minute."""
        bench.read("no_permission_procs", 0, 4, 8, 61)
        assert bench.calls()["nvmlDeviceGetComputeRunningProcesses_v3"] == 2 * 2


class TestMig:
    def test_instances_are_children_of_their_gpu(self, bench: Bench):
        """Each instance follows its GPU, with its own memory and the GPU's UUID as `mig`."""
        gpu, *instances = bench.devices("mig_h100_7")
        assert len(instances) == 7
        assert {instance["mig"] for instance in instances} == {gpu["uuid"]}
        assert len({instance["uuid"] for instance in instances}) == 7
        assert instances[0]["vram_used_bytes"] == 8600 * MIB
        assert instances[0]["name"].endswith("MIG 1g.10gb")

    def test_a_process_belongs_to_one_instance(self, bench: Bench):
        """The GPU's list is dealt out to its instances; nobody is shown twice."""
        gpu, *instances = bench.devices("mig_h100_7")
        assert gpu["processes"] == []
        pids = [[p["pid"] for p in instance["processes"]] for instance in instances]
        assert pids == [[4100000], [4100001], [], [], [], [4100002], []]

    def test_utilisation_is_unknown(self, bench: Bench):
        """NVML does not tell a split GPU's utilisation: unknown and no fault."""
        gpu, *instances = bench.devices("mig_h100_7")
        assert {reading["utilization"] for reading in (gpu, *instances)} == {None}
        assert (gpu["state"], gpu["note"]) == ("ok", None)

    def test_numbers_of_each_instance(self, bench: Bench):
        """Its GPU instance, its compute instance and its place in the driver's list."""
        _, *instances = bench.devices("mig_h100_7")
        assert [i["mig_gi"] for i in instances] == [7, 8, 9, 10, 11, 12, 13]
        assert {i["mig_ci"] for i in instances} == {0}
        assert [i["mig_slot"] for i in instances] == list(range(7))

    def test_the_drivers_order_is_kept(self, bench: Bench):
        """The instances' numbers do not put them in order."""
        lines = [
            f"mig_dev = profile={profile} gi={gi} ci=0 total=9984MiB reserved=16MiB"
            for profile, gi in (("1g.10gb", 11), ("2g.20gb", 3), ("1g.10gb", 9))
        ]
        split = bench.changed("mig_h100_7", *lines, **{"mig_dev = profile=1g": "# "})
        _, *instances = bench.devices(split)
        assert [(i["mig_slot"], i["mig_gi"]) for i in instances] == [(0, 11), (1, 3), (2, 9)]

    def test_a_layout_that_changes(self, bench: Bench, tmp_path):
        """Instances that were destroyed go at the poll after the one that noticed."""
        fewer = tmp_path / "fewer.scn"
        text = bench.fake.scenario("mig_h100_7").read_text()
        fewer.write_text(text.replace("repeat=7", "repeat=2"))
        before, _, after = bench.read("mig_h100_7", 0, {"scenario": str(fewer)}, 4, 8)
        assert len(before["devices"]) == 8
        assert len(after["devices"]) == 3


class TestProcesses:
    def test_name_and_user_of_a_real_process(self, bench: Bench, tmp_path):
        """The probe's own process is named by its module, with the user who runs it."""
        scenario = tmp_path / "self.scn"
        scenario.write_text("[system]\ncount = 1\n[device 0]\nproc = pid=self type=C mem=1GiB\n")
        bench.proc.symlink_to("/proc")
        answer = bench.run([{"now": 0.0}], bench.fake.env(scenario))
        process = answer[0]["devices"][0]["processes"][0]
        assert process["name"] == "tests.transport.nvml.probe"
        assert process["user"] == getpass.getuser()
        assert process["vram_bytes"] == 1024 * MIB

    def test_nobody_we_can_see(self, bench: Bench):
        """A process of another PID namespace has its number and memory, no name or user."""
        process = bench.devices("eight")[0]["processes"][0]
        assert (process["pid"], process["name"], process["user"]) == (4100000, None, None)

    def test_one_process_in_both_lists(self, bench: Bench):
        """Compute and graphics of one process count once; the largest comes first."""
        pids = [p["pid"] for p in bench.devices("rtx4090")[0]["processes"]]
        assert pids == [4100000, 4100002, 4100001]

    def test_memory_not_told(self, bench: Bench):
        """A process whose memory the driver will not tell has None, not 0."""
        processes = bench.devices("no_process_memory")[0]["processes"]
        assert [p["vram_bytes"] for p in processes] == [None, None]

    def test_clients_of_mps(self, bench: Bench):
        """Where the MPS server runs, its clients are asked for as well."""
        bench.process(4100000, "/usr/bin/nvidia-cuda-mps-server")
        processes = bench.devices("mps")[0]["processes"]
        assert [p["pid"] for p in processes] == [4100001, 4100000]

    def test_no_mps_no_question(self, bench: Bench):
        """Without an MPS server the clients' list is not asked for."""
        bench.devices("mps")
        assert not [name for name in bench.calls() if "MPS" in name]

    def test_the_layout_of_early_r535(self, bench: Bench):
        """Drivers up to 535.86 give 32 bytes a process, not 24: every process is read right."""
        early = bench.changed("mig_h100_7", **{"570.172.08": "535.54.03"})
        _, *instances = bench.devices(early, library=bench.fake.variant("R535"))
        shown = [[(p["pid"], p["vram_bytes"]) for p in i["processes"]] for i in instances]
        assert shown[0] == [(4100000, 8600 * MIB)]
        assert shown[1] == [(4100001, 4100 * MIB)]
        assert shown[5] == [(4100002, 7900 * MIB)]

    def test_the_layout_of_early_r535_with_many_processes(self, bench: Bench):
        """From the second process on a wrong layout shows other numbers and sizes."""
        early = bench.changed("rtx4090", **{"580.95.05": "535.54.03"})
        today = bench.devices("rtx4090")[0]["processes"]
        (gpu,) = bench.devices(early, library=bench.fake.variant("R535"))
        assert len(today) > 2
        assert gpu["processes"] == today


class TestNoDriver:
    @pytest.mark.parametrize(
        ("scenario", "kind", "words"),
        [
            ("not_loaded", "driver", "modprobe nvidia"),
            ("mismatch", "driver", "reboot, or reload"),
            ("no_gpu", "absent", "finds no GPU"),
        ],
    )
    def test_said_in_words(self, bench: Bench, scenario: str, kind: str, words: str):
        """Each way in which the driver does not start is one sentence with what to do."""
        failure = bench.read(scenario)[0]["failure"]
        assert failure["kind"] == kind
        assert words in failure["text"]

    def test_no_library(self, bench: Bench):
        """Without libnvidia-ml.so.1 there is nothing to ask."""
        (bench.folder / "libnvidia-ml.so.1").write_text("no library")
        answer = bench.run([{"now": 0.0}], {"LD_LIBRARY_PATH": str(bench.folder)})
        assert answer[0]["failure"]["kind"] == "absent"
        assert "libnvidia-ml.so.1" in answer[0]["failure"]["text"]

    def test_the_failure_is_remembered(self, bench: Bench):
        """A driver that would not start is asked again after 30 s, not at every poll."""
        readings = bench.read("not_loaded", 0, 4, 29)
        assert len(readings) == 3
        assert bench.calls()["nvmlInitWithFlags"] == 1

    def test_a_driver_that_appears_later(self, bench: Bench):
        """After 30 s the driver is tried again and its GPUs are there."""
        before, still, after = bench.read("not_loaded", 0, "four", 29, 30)
        assert "failure" in before
        assert "failure" in still
        assert len(after["devices"]) == 4


class TestDriverShutDown:
    """Somebody reloads the driver under us: NVML says Uninitialized."""

    @pytest.fixture
    def shut(self, bench: Bench) -> dict:
        path = bench.folder / "shut.scn"
        text = bench.fake.scenario("four").read_text()
        path.write_text(text + "[device *]\nfault.nvmlDeviceGetMemoryInfo* = UNINITIALIZED\n")
        return {"scenario": str(path)}

    def test_started_anew_at_once(self, bench: Bench, shut: dict):
        """One new start is tried in the same poll; when that does not help it is said."""
        before, after = bench.read("four", 0, shut, 4)
        assert len(before["devices"]) == 4
        assert after["failure"]["kind"] == "driver"
        assert after["failure"]["text"].endswith("would not start: Uninitialized")
        assert bench.calls()["nvmlInitWithFlags"] == 2

    def test_back_after_the_reload(self, bench: Bench, shut: dict):
        """After 30 s it is tried again, and every GPU is there once, as before."""
        first, _, last = bench.read("four", 0, shut, 4, "four", 34)
        assert last["devices"] == first["devices"]


class TestSwapped:
    """The driver is replaced while the program runs: NVML is initialised anew, at once."""

    @pytest.mark.parametrize("code", ["UNINITIALIZED", "DRIVER_NOT_LOADED"])
    def test_reloaded(self, bench: Bench, code: str):
        """Everything that was opened is void; the same poll has every GPU again."""
        again = bench.changed("four", "[system]", f"boot = 1 {code}")
        before, after = bench.read("four", 0, again, 4)
        assert after["devices"] == before["devices"]
        assert bench.calls()["nvmlInitWithFlags"] == 2

    def test_every_gpu_lost_at_once(self, bench: Bench):
        """Some drivers say of a reload that all GPUs are lost."""
        again = bench.changed("four", "[system]", "boot = 1 GPU_IS_LOST")
        before, after = bench.read("four", 0, again, 4)
        assert after["devices"] == before["devices"]

    def test_updated_with_its_library(self, bench: Bench):
        """The new library's file is loaded in place of the one that was."""
        old, new = (bench.fake.variant(f"BUILD={v}") for v in ("570.10", "580.20"))
        here = bench.folder / "lib"
        shutil.copytree(old, here)
        before = bench.changed("four", **{"580.95.05": "570.10"})
        after = bench.changed("four", **{"580.95.05": "580.20"})
        steps = (0.0, {"library": str(new)}, after, 4.0)
        first, second = bench.read(before, *steps, library=here)
        assert (first["driver"], second["driver"]) == ("570.10", "580.20")
        assert second["devices"] == first["devices"]

    def test_updated_without_its_library(self, bench: Bench):
        """The versions differ for good: said in words, at the same poll."""
        old = bench.fake.variant("BUILD=570.10")
        before = bench.changed("four", **{"580.95.05": "570.10"})
        _, after = bench.read(before, 0, "four", 4, library=old)
        assert after["failure"]["kind"] == "driver"
        assert "reboot, or reload the nvidia kernel modules" in after["failure"]["text"]

    def test_gone(self, bench: Bench):
        """The driver was unloaded: said in words, and all GPUs are back once it is loaded."""
        gone = bench.changed(
            "four", "[system]", "boot = 1 DRIVER_NOT_LOADED", "init_error = DRIVER_NOT_LOADED"
        )
        first, without, again = bench.read("four", 0, gone, 4, "four", 34)
        assert "not loaded: run nvidia-smi once" in without["failure"]["text"]
        assert again["devices"] == first["devices"]


class TestLost:
    def test_lost_midrun(self, bench: Bench):
        """The lost GPU keeps its name, UUID and size and says so; the others live on."""
        before, after = bench.read("four", 0, "four_lost", 4)
        gpu = after["devices"][2]
        assert gpu["state"] == "lost"
        assert "fell off the bus" in gpu["note"]
        for fact in ("index", "uuid", "name", "vram_total_bytes", "power_limit_w"):
            assert gpu[fact] == before["devices"][2][fact]
        assert (gpu["vram_used_bytes"], gpu["utilization"], gpu["processes"]) == (None, None, None)
        assert [g["state"] for g in after["devices"]] == ["ok", "ok", "lost", "ok"]

    def test_lost_before_we_came(self, bench: Bench):
        """A GPU that never answered is there by its index."""
        gpu = bench.devices("four_lost")[2]
        assert (gpu["index"], gpu["state"], gpu["name"]) == (2, "lost", "NVIDIA GPU 2")

    def test_it_comes_back(self, bench: Bench):
        """After 30 s NVML is started anew; the GPU that was reset is there again."""
        *_, last = bench.read("four", 0, "four_lost", 4, "four", 35)
        assert [gpu["state"] for gpu in last["devices"]] == ["ok"] * 4
        assert bench.calls()["nvmlInitWithFlags"] == 2

    def test_facts_outlive_a_new_start(self, bench: Bench):
        """Still lost after the new start, and still known by name and UUID."""
        first, *_, last = bench.read("four", 0, "four_lost", 4, 35)
        assert bench.calls()["nvmlInitWithFlags"] == 2
        assert last["devices"][2]["uuid"] == first["devices"][2]["uuid"]
        assert last["devices"][2]["state"] == "lost"

    def test_new_starts_grow_rare(self, bench: Bench):
        """30 s, then 60 s, then 120 s between starts: a dead GPU does not disturb the others."""
        bench.read("four_lost", *range(0, 200, 4))
        assert bench.calls()["nvmlInitWithFlags"] == 3

    def test_no_longer_listed(self, bench: Bench, tmp_path):
        """A GPU that the driver stopped listing is shown as lost, not forgotten."""
        three = tmp_path / "three.scn"
        text = bench.fake.scenario("four").read_text()
        three.write_text(text.replace("count = 4", "count = 3"))
        first, *_, last = bench.read("four", 0, "four_lost", 4, {"scenario": str(three)}, 35)
        assert [gpu["state"] for gpu in last["devices"]] == ["ok", "ok", "ok", "lost"]
        assert last["devices"][3]["uuid"] == first["devices"][3]["uuid"]


class TestCallCount:
    @pytest.mark.parametrize("scenario", ["eight", "rtx4090", "mig_h100_7"])
    def test_at_most_twelve_calls_per_gpu_and_poll(self, bench: Bench, scenario: str):
        """A poll in the steady state: 8 or 9 calls for a GPU at work, never more than 12."""
        times = range(0, 40, 4)
        bench.read(scenario, *times)
        total = bench.calls()
        bench.read(scenario, 0)
        once = bench.calls()
        polls = len(times) - 1
        per_poll = (sum(total.values()) - sum(once.values())) / polls
        gpus = 8 if scenario == "eight" else 1
        assert per_poll / gpus <= (12 if scenario == "mig_h100_7" else 9)

    def test_even_the_first_poll(self, bench: Bench):
        """The first poll asks twelve a GPU, facts included, beside what starts the library."""
        bench.devices("eight")
        per_gpu = [name for name, device, _ in bench.traced() if device == 7]
        assert len(per_gpu) <= 12

    def test_one_line_asks_for_what_it_shows(self, bench: Bench):
        """Without details: UUID, VRAM and utilisation, in four calls a GPU."""
        gpu = bench.devices("eight", wanted="none")[0]
        assert (gpu["utilization"], gpu["vram_used_bytes"]) == (0.83, 98100 * MIB)
        assert gpu["uuid"].startswith("GPU-")
        assert (gpu["name"], gpu["temperature_c"], gpu["processes"]) == (None, None, None)
        assert len([name for name, device, _ in bench.traced() if device == 0]) == 4

    def test_facts_are_asked_once(self, bench: Bench):
        """Name, UUID and address are asked once a GPU, the limit once a minute."""
        bench.read("eight", *range(0, 64, 4))
        found = bench.calls()
        assert found["nvmlDeviceGetName"] == found["nvmlDeviceGetUUID"] == 8
        assert found["nvmlDeviceGetHandleByIndex_v2"] == 8
        assert found["nvmlDeviceGetEnforcedPowerLimit"] == 16
        assert found["nvmlDeviceGetTemperatureThreshold"] == 8


def test_without_a_compiler_the_reason_is_said(tmp_path, monkeypatch):
    """No compiler: the tests are skipped with this sentence."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(CannotBuild, match=NO_COMPILER.replace("(", r"\(").replace(")", r"\)")):
        build(tmp_path)
