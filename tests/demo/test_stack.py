from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.demo.gpus import DemoDriver
from tokentop.demo.stack import LOOP_S, State, simulate
from tokentop.demo.world import World
from tokentop.domain.policy import Policy
from tokentop.domain.verdict.stack import StackLoad, stack_mode, stack_tier
from tokentop.domain.verdict.tiers import TIERS, mode_of
from tokentop.transport.nvml.answer import Answer

SEEDS = (0, 1, 7, 12345)
POLICY = Policy()


def locally(state: State) -> StackLoad:
    used = sum(d.vram_used_bytes or 0 for d in state.devices)
    total = sum(d.vram_total_bytes or 0 for d in state.devices)
    return StackLoad(
        queued=state.queued,
        active=state.active,
        max_slots=state.max_slots,
        vram=used / total,
        reporters=("genesis",) if state.back_pressure else (),
    )


def from_acta(state: State) -> StackLoad:
    return locally(state)._replace(pressure=state.pressure)


def tier_of(load: StackLoad) -> str | None:
    return stack_tier(load, load.utilization, POLICY.tiers)


class TestWalk:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_rises_through_every_tier_and_falls_back(self, seed):
        """One loop enters each tier once on the way up and once on the way down."""
        tiers = [tier_of(from_acta(simulate(t, seed))) for t in range(int(LOOP_S))]
        walk = [tier for tier, _ in groupby(tiers)]
        assert walk == [*TIERS, *TIERS[-2::-1]]

    @pytest.mark.parametrize("seed", SEEDS)
    def test_stays_full_long_enough_to_be_looked_at(self, seed):
        """Saturated for 20 to 30 s of one loop, with a queue longer than the slots."""
        full = [s for s in (simulate(t, seed) for t in range(180)) if is_full(s)]
        assert 20 <= len(full) <= 30
        assert max(s.queued for s in full) > full[0].max_slots

    @pytest.mark.parametrize("seed", SEEDS)
    def test_the_local_formula_walks_along(self, seed):
        """Without ACTA the GPUs and the queue alone give the same tiers, all tiers included."""
        states = [simulate(t, seed) for t in range(int(LOOP_S))]
        assert {tier_of(locally(state)) for state in states} == set(TIERS)
        for state in states:
            assert locally(state).utilization == pytest.approx(state.pressure, abs=0.15)

    def test_every_mode_of_the_banner_is_seen(self):
        """Normal, pressure and saturated."""
        loads = [from_acta(simulate(t)) for t in range(180)]
        modes = {stack_mode(one, mode_of(tier_of(one)), POLICY.tiers) for one in loads}
        assert modes == {"normal", "pressure", "saturated"}


def is_full(state: State) -> bool:
    return tier_of(from_acta(state)) == "saturated"


class TestSeed:
    @given(st.floats(-10, 1e6), st.integers(-(2**70), 2**70))
    def test_the_same_moment_is_the_same_state(self, t, seed):
        """Nothing but time and seed goes in, whatever the seed."""
        assert simulate(t, seed) == simulate(t, seed)

    def test_other_seeds_differ(self):
        """Two seeds give two stacks, which share their hardware."""
        one, other = simulate(40, 1), simulate(40, 2)
        assert one.pressure != other.pressure
        assert [d.vram_used_bytes for d in one.devices] != [
            d.vram_used_bytes for d in other.devices
        ]
        assert [d.uuid for d in one.devices] == [d.uuid for d in other.devices]


class TestCloud:
    def test_an_instance_comes_up_and_winds_down(self):
        """Nobody rented at first; from surge on it is provisioned, runs, and goes again."""
        phases = [
            next((i.phase for i in simulate(t).instances if i.gpu == "RTX 4090"), None)
            for t in range(int(LOOP_S))
        ]
        assert [phase for phase, _ in groupby(phases)] == [
            None,
            "provisioning",
            "starting",
            "running",
            "terminating",
            None,
        ]
        assert tier_of(from_acta(simulate(phases.index("provisioning")))) == "surge"

    def test_it_runs_into_the_calm_so_that_the_countdown_shows(self):
        """For some seconds an instance runs although demand is below the scale-down bound."""
        idle_but_rented = [
            t
            for t in range(120, 180)
            if any(i.phase == "running" for i in simulate(t).instances)
            and simulate(t).pressure < POLICY.capacity.scale_down_below
        ]
        assert len(idle_but_rented) >= 10

    def test_ids_do_not_repeat_from_loop_to_loop(self):
        """The next loop rents other instances."""
        assert simulate(100).instances[0].id != simulate(100 + LOOP_S).instances[0].id


class TestGpus:
    @given(st.floats(0, 1000), st.integers(0, 50))
    def test_readings_are_possible(self, t, seed):
        """Eight devices whose figures stay within what such cards can show."""
        devices = World("stack", seed).gpus(t).devices
        assert len({d.uuid for d in devices}) == 8
        for d in devices:
            assert 0 < d.vram_used_bytes <= d.vram_total_bytes
            assert 0 <= d.utilization <= 1
            assert 20 < d.temperature_c < 90
            assert 0 < d.power_w <= d.power_limit_w
            assert sum(p.vram_bytes for p in d.processes) <= d.vram_used_bytes

    def test_the_pool_is_mixed(self):
        """Two kinds of cards, processes with users."""
        devices = World("stack").gpus(50).devices
        assert {d.name for d in devices} == {"NVIDIA H200", "NVIDIA GeForce RTX 4090"}
        assert {p.user for d in devices for p in d.processes} == {"serve", "mira", "ana"}

    def test_the_driver_follows_the_demo_clock(self):
        """Each poll is answered at once, with the GPUs of the demo's own time."""
        now, answers = [10.0], list[Answer]()
        driver = DemoDriver(answers.append, world := World("stack", 3), lambda: now[0])
        driver.poll()
        now[0] = 80.0
        driver.poll()
        assert [answer.result for answer in answers] == [world.gpus(10.0), world.gpus(80.0)]
        assert all(answer.complete for answer in answers)
