"""The whole machine, its engines alone, and the fleet, as a view is shown them."""

from itertools import groupby

import pytest

from tokentop.collect.collector import Collector
from tokentop.config.load import load
from tokentop.config.schema import Config
from tokentop.demo.stack import HOST
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import Engine
from tokentop.domain.verdict.tiers import TIERS
from tokentop.runtime.demo import fast_forward

DIES = "gemma4-12b"
FULL = "deepseek-r2-70b"


def config_of(part: str, at_s: float, seed: int = 0) -> Config:
    flags = {"demo.part": part, "demo.at_s": at_s, "demo.seed": seed, "demo.enabled": True}
    return load(flags, {}, None)


def played(part: str, until_s: float, seed: int = 0) -> dict[float, Snapshot]:
    """The snapshot of every poll from the demo's beginning on, by the demo's second."""
    config, seen = config_of(part, until_s, seed), dict[float, Snapshot]()
    collector = Collector(config, HOST, demo=True)
    fast_forward(collector, config, lambda snapshot, now: seen.update({now: snapshot}))
    return {t: snapshot for t, snapshot in seen.items() if t >= 0}


@pytest.fixture(scope="module", params=["whole", "engines"])
def loop(request: pytest.FixtureRequest) -> dict[float, Snapshot]:
    """The machine with and without its stack, for two loops."""
    return played(request.param, 360.0)


@pytest.fixture(scope="module")
def whole() -> dict[float, Snapshot]:
    return played("whole", 180.0)


@pytest.fixture(scope="module")
def fleet() -> dict[float, Snapshot]:
    return played("fleet", 180.0)


def engine(snapshot: Snapshot, model: str) -> Engine:
    return next(one for one in snapshot.engines if one.model == model)


def test_it_is_busy_from_the_first_picture_on(loop: dict[float, Snapshot]) -> None:
    """Tokens, latencies, costs and a tier above idle, without a second poll."""
    first = loop[0.0]
    assert TIERS.index(first.demand.tier or "idle") >= TIERS.index("moderate")
    assert {one.kind for one in first.engines} == {"vllm", "sglang", "llamacpp"}
    assert all((one.generation_tokens_per_s or 0) > 50 for one in first.engines)
    assert all(one.active and one.max_slots and one.kv_cache for one in first.engines)
    assert first.throughput.generation_tokens_per_s > 5000  # type: ignore[operator]
    assert 0.2 < (first.pricing.usd_per_mtok_reserved or 0) < 2
    assert first.pricing.reference_usd_per_mtok == 2.40
    assert first.throughput.burn is not None


def test_every_tier_but_idle_is_met_and_it_calms_down(loop: dict[float, Snapshot]) -> None:
    """Moderate at first, full for a while, low near the end: never idle, never unknown."""
    tiers = [loop[t].demand.tier for t in loop if t < 180]
    assert tiers[0] == "moderate"
    assert set(tiers) == set(TIERS) - {"idle"}
    assert "low" in tiers[-8:]
    walk = [tier for tier, _ in groupby(tiers)]
    assert walk.index("surge") < walk.index("saturated") < walk.index("low")


def test_a_model_is_full_and_the_headline_names_it(loop: dict[float, Snapshot]) -> None:
    """More wait than it has slots, for some 20 s; its users give up, and that is burn."""
    full = [loop[t] for t in loop if t < 180 and loop[t].demand.tier == "saturated"]
    assert 5 <= len(full) <= 10
    assert all(FULL in snapshot.demand.headline for snapshot in full)
    one = engine(full[len(full) // 2], FULL)
    assert (one.queued or 0) >= (one.max_slots or 0) > 0
    assert (one.kv_cache or 0) > 0.9
    burn = [engine(loop[t], FULL).burn or 0.0 for t in (8.0, 84.0)]
    assert burn[0] < 0.1 < 0.2 < burn[1]


def test_an_engine_dies_loads_and_comes_back(loop: dict[float, Snapshot]) -> None:
    """Serving, gone, starting, serving, in this order; nobody else is hurt."""
    states = [engine(loop[t], DIES).state for t in loop if t < 180]
    walk = [state for state, _ in groupby(states)]
    assert walk[0] == walk[-1] == "online"
    assert walk.index("starting") > walk.index("gone" if "gone" in walk else "offline")
    others = (one for snapshot in loop.values() for one in snapshot.engines if one.model != DIES)
    assert {one.state for one in others} == {"online"}
    down = loop[112.0]
    assert down.health.state == "down"
    assert DIES in down.demand.headline or any(DIES in r.text for r in down.health.reasons)


def test_the_rates_survive_the_restart(loop: dict[float, Snapshot]) -> None:
    """Its counters begin anew: its rate is as low as its few requests, and never negative."""
    after = [engine(loop[t], DIES).generation_tokens_per_s for t in (144.0, 148.0, 156.0)]
    assert all(rate is not None and 50 < rate < 400 for rate in after)
    rates = [one.generation_tokens_per_s for s in loop.values() for one in s.engines]
    assert all(rate is None or 0 <= rate < 12_000 for rate in rates)


def test_rates_are_what_the_gauges_suggest(loop: dict[float, Snapshot]) -> None:
    """Tokens per running request lie within what a batch of that size makes."""
    for t in (8.0, 40.0, 72.0, 152.0, 300.0):
        one = engine(loop[t], "qwen3.6-27b")
        assert 25 < one.generation_tokens_per_s / one.active < 70  # type: ignore[operator]


def test_gpus_bear_the_engines_processes(loop: dict[float, Snapshot]) -> None:
    """Each engine has its own GPUs by its processes; the dead one has left its GPU."""
    on_gpus = {gpu.index: {p.pid for p in gpu.processes or ()} for gpu in loop[0.0].gpus}
    for one in loop[0.0].engines:
        assert one.pids
        assert all(any(pid in held for held in on_gpus.values()) for pid in one.pids)
    vram = [gpu.vram_used_bytes or 0 for t in (96.0, 112.0, 124.0, 140.0)
            for gpu in loop[t].gpus if gpu.index == 6]  # fmt: skip
    assert vram[1] < 0.1 * vram[0] < vram[2] < vram[3] == vram[0]
    idle = [gpu.power_w or 0 for gpu in loop[112.0].gpus if gpu.index == 6]
    assert idle[0] < 30


def test_vram_is_divided_where_an_engine_reports_its_cache(loop: dict[float, Snapshot]) -> None:
    """vLLM's label and SGLang's /v1/loads, GiB a GPU; llama.cpp reports none."""
    gib = {one.kind: one.kv_gpu_bytes and one.kv_gpu_bytes / 2**30 for one in loop[0.0].engines}
    assert gib == {"vllm": 104.0, "sglang": 50.0, "llamacpp": None}


def test_the_second_loop_is_the_first_again(loop: dict[float, Snapshot]) -> None:
    """The story loops: the same tiers at the same seconds, but for the edges of a tier."""
    same = [loop[t].demand.tier == loop[t + 180].demand.tier for t in loop if 8 <= t <= 180]
    assert sum(same) >= 0.9 * len(same)


def test_the_whole_has_the_stack_too(whole: dict[float, Snapshot]) -> None:
    """Seven services, cloud, capacity, mint; the queue counts the engines' requests once."""
    for snapshot in whole.values():
        assert all(dict(snapshot.services_online).values())
        assert snapshot.cloud.active
        assert snapshot.mint.source == "mint"
        known = [one for one in snapshot.engines if one.active is not None]
        assert abs((snapshot.llm.active or 0) - sum(one.active or 0 for one in known)) <= 1
    assert max(len(snapshot.cloud.instances) for snapshot in whole.values()) == 3
    assert any(snapshot.capacity.needed for snapshot in whole.values())


def test_engines_alone_have_no_stack() -> None:
    """No service answers, none is a member; the costs and the GPUs are there."""
    snapshot = played("engines", 40.0)[40.0]
    assert not any(dict(snapshot.services_online).values())
    assert snapshot.health.state == "ok"
    assert (len(snapshot.gpus), len(snapshot.engines)) == (8, 3)


def test_gpus_alone_serve_nothing() -> None:
    """Eight GPUs at work, and no engine."""
    snapshot = played("gpus", 20.0)[20.0]
    assert len(snapshot.gpus) == 8
    assert snapshot.engines == ()
    assert snapshot.demand.tier is None


class TestFleet:
    def test_every_engine_has_figures(self, fleet: dict[float, Snapshot]) -> None:
        """64 engines on 128 GPUs through one server, with rates, latencies and ages."""
        for t in (0.0, 60.0):
            engines = [one for one in fleet[t].engines if one.kind != "prometheus"]
            assert len(engines) == 64
            assert len(fleet[t].gpus) == 128
            assert all(one.state == "online" and one.source == "prometheus" for one in engines)
            assert all((one.generation_tokens_per_s or 0) > 100 for one in engines)
            assert all(one.kv_cache and one.active is not None for one in engines)
            assert all(one.ttft_p95_s for one in engines)
            assert len({one.group for one in engines}) == 4

    def test_one_engine_goes_and_returns(self, fleet: dict[float, Snapshot]) -> None:
        """It cannot be scraped for a minute; the other 63 go on."""
        up = {t: sum(e.state == "online" and e.kind != "prometheus" for e in s.engines)
              for t, s in fleet.items()}  # fmt: skip
        assert (up[60.0], up[100.0], up[160.0]) == (64, 63, 64)

    def test_a_surge_comes_and_goes(self, fleet: dict[float, Snapshot]) -> None:
        """More wait at its peak than before and after."""
        waiting = [fleet[t].llm.queued or 0 for t in (8.0, 80.0, 152.0)]
        assert waiting[1] > 100 > max(waiting[0], waiting[2])

    def test_the_server_complains_of_nothing(self, fleet: dict[float, Snapshot]) -> None:
        """Every query of ours is answered."""
        servers = [one for s in fleet.values() for one in s.engines if one.kind == "prometheus"]
        assert servers == [] or all(one.advice is None for one in servers)


@pytest.mark.parametrize("part", ["engines", "fleet"])
def test_far_future_moments_cost_no_more(part: str) -> None:
    """A moment days ahead is reached without living through it all, and is as busy."""
    config = config_of(part, 360_008.0)
    collector, polls = Collector(config, HOST, demo=True), list[Snapshot]()
    fast_forward(collector, config, lambda snapshot, _: polls.append(snapshot))
    assert len(polls) <= 151
    assert (polls[-1].throughput.generation_tokens_per_s or 0) > 5000


@pytest.mark.parametrize("part", ["whole", "engines", "fleet"])
def test_the_same_seed_gives_the_same_figures(part: str) -> None:
    """Two runs with one seed fold to equal figures; another seed does not."""
    one, same, other = (
        [(s.engines, s.gpus, s.pricing) for s in played(part, 16.0, seed).values()]
        for seed in (4, 4, 5)
    )
    assert one == same
    assert one != other
