"""Engines in the snapshot: states, sums that say when they are partial, routers, demand."""

from typing import Any

import pytest

from tests.domain.scenario import Scenario, fold
from tokentop.domain.engines.observation import EngineObservation
from tokentop.domain.engines.rates import Rates
from tokentop.domain.engines.readings import Counters, EngineReading, Histogram, Histograms
from tokentop.domain.policy import CostPolicy, Policy
from tokentop.domain.readings import DeviceReading, Failure, GpusReading, QueueReading
from tokentop.domain.snapshot import Process, Snapshot
from tokentop.domain.snapshot_engines import Engine

REFUSED = Failure("refused", "nobody listens")
TIMEOUT = Failure("timeout", "no answer")
GIB = 2**30


def view(name: str = "a", **changes: Any) -> EngineObservation:
    """An engine that answered a second ago; reading fields and view fields alike."""
    of_view = {key: changes.pop(key) for key in list(changes) if key in EngineObservation._fields}
    kind = of_view.setdefault("kind", "vllm")
    reading = EngineReading(kind, model=f"model-{name}", models=(f"model-{name}",))._replace(
        **changes
    )
    base = EngineObservation(
        f"{kind}@{name}", kind, reading=reading, age_s=1.0, outcome="ok", read_before=True
    )
    return base._replace(**of_view)


def snapshot(*views: EngineObservation, scene: Scenario | None = None, **changes: Any) -> Snapshot:
    return fold((scene or Scenario()).input()._replace(engines=views, **changes))


def one(**changes: Any) -> Engine:
    return snapshot(view(**changes)).engines[0]


def seconds(*buckets: tuple[float, float]) -> Histograms:
    return Histograms(ttft=(Histogram(buckets),))


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "online"),
        ({"health": "starting"}, "starting"),
        ({"health": "asleep"}, "asleep"),
        ({"health": "no-metrics"}, "no-metrics"),
        ({"health": "auth-required"}, "auth-required"),
        ({"health": "names-only"}, "names-only"),
        ({"outcome": TIMEOUT}, "online"),
        ({"outcome": TIMEOUT, "age_s": 13.0}, "stale"),
        ({"age_s": 13.0}, "stale"),
        ({"outcome": TIMEOUT, "age_s": 61.0}, "offline"),
        ({"outcome": TIMEOUT, "age_s": 13.0, "backing_off": True}, "backing-off"),
        ({"outcome": Failure("bad-data", "no page")}, "bad-data"),
        ({"outcome": REFUSED}, "gone"),
        ({"outcome": REFUSED, "configured": True}, "offline"),
        ({"outcome": Failure("auth", "401", True, 401)}, "auth-required"),
        ({"reading": None, "age_s": None, "outcome": REFUSED, "read_before": False}, "offline"),
        ({"reading": None, "age_s": None, "outcome": None}, "offline"),
        ({"reading": None, "age_s": None, "outcome": REFUSED, "starting": True}, "starting"),
    ],
)
def test_an_engines_state_is_one_word(changes: dict[str, Any], state: str) -> None:
    """What the latest poll said, or for how long there has been silence."""
    assert one(**changes).state == state


def test_the_llm_figures_are_the_engines_sum() -> None:
    """Actives, queues, slots added; the fullest KV cache, never their sum; every model once."""
    combined_slots = snapshot(
        view("a", active=3, queued=1, max_slots=8, kv_cache=0.5),
        view("b", active=2, queued=0, max_slots=4, kv_cache=0.7),
    ).llm
    assert (
        combined_slots.active,
        combined_slots.queued,
        combined_slots.max_slots,
        combined_slots.free,
    ) == (5, 1, 12, 7)
    assert (combined_slots.kv_cache, combined_slots.partial, combined_slots.source) == (
        0.7,
        False,
        "engines",
    )
    assert combined_slots.models == ("model-a", "model-b")


def test_an_unknown_part_makes_the_sum_partial() -> None:
    """The known part is shown and marked; what none reports is unknown, not 0."""
    combined_slots = snapshot(view("a", active=3, max_slots=8), view("b", health="no-metrics")).llm
    assert (
        combined_slots.active,
        combined_slots.max_slots,
        combined_slots.queued,
        combined_slots.partial,
    ) == (3, 8, None, True)


def test_an_engine_that_loads_or_sleeps_leaves_no_gap() -> None:
    """It serves nobody, which is known."""
    first = view("a", active=1, queued=0, max_slots=4)
    combined_slots = snapshot(first, view("b", health="starting"), view("c", health="asleep")).llm
    assert (combined_slots.active, combined_slots.partial) == (1, False)


def test_silent_engines_leave_the_sum_but_not_unsaid() -> None:
    """Last figures of a silent engine are not of now: they are in no sum."""
    silent = view("b", active=5, queued=0, max_slots=8, outcome=TIMEOUT, age_s=20.0)
    combined_slots = snapshot(view("a", active=1, queued=0, max_slots=4), silent).llm
    assert (combined_slots.active, combined_slots.partial, combined_slots.stale) == (1, True, False)
    combined_slots = snapshot(silent).llm
    assert (combined_slots.active, combined_slots.stale) == (None, True)


def test_a_router_is_never_added_on_top_of_engines() -> None:
    """Its row is there, its traffic is theirs; alone it is better than nothing."""
    router = view("r", kind="litellm", router=True, active=7, rates=Rates(0.0, 99.0))
    engine = view("a", active=3, queued=0, max_slots=8, rates=Rates(1.0, 50.0))
    both = snapshot(router, engine)
    assert (both.llm.active, both.throughput.generation_tokens_per_s) == (3, 50.0)
    assert [e.router for e in both.engines] == [True, False]
    assert snapshot(router).llm.active == 7


def test_the_stacks_queue_wins_while_it_answers() -> None:
    """Figures of one source are not mixed; only the KV cache comes from the engines."""
    queue = QueueReading(queued=4, active=2, max_slots=48)
    engine = view("a", active=3, queued=0, max_slots=8, kv_cache=0.6)
    combined_slots = snapshot(engine, scene=Scenario().says("genesis/llm_queue", queue)).llm
    assert (combined_slots.active, combined_slots.max_slots, combined_slots.kv_cache) == (
        2,
        48,
        0.6,
    )
    assert combined_slots.source == "genesis+engines"
    combined_slots = snapshot(engine, scene=Scenario().silent("genesis/llm_queue", queue)).llm
    assert (combined_slots.active, combined_slots.source) == (3, "engines")


def test_demand_follows_engines_not_reserved_vram() -> None:
    """vLLM reserves its VRAM at start: a full GPU with an idle engine is idle."""
    full = GpusReading((DeviceReading(0, "GPU-a", vram_used_bytes=79, vram_total_bytes=80),))
    scene = Scenario().says("nvml", full)
    idle = view("a", active=0, queued=0, max_slots=8, kv_cache=0.0)
    demand = snapshot(idle, scene=scene).demand
    assert (demand.profile, demand.utilization, demand.tier) == ("serving", 0.0, "idle")
    forced = snapshot(idle, scene=scene, policy=Policy(profile="vram")).demand
    assert (forced.profile, forced.tier) == ("vram", "saturated")
    blind = snapshot(view("a", health="no-metrics"), scene=scene).demand
    assert (blind.utilization, blind.tier) == (None, None)


def test_occupancy_is_made_of_engines_that_report_their_slots() -> None:
    """30 requests at an engine of unknown size do not fill 8 slots of the same model elsewhere."""
    demand = snapshot(
        view("a", active=2, queued=0, max_slots=8), view("b", active=30, queued=0, model="model-a")
    ).demand
    assert demand.utilization == pytest.approx(0.2)
    assert (demand.queue_pressure, demand.mode) == (0.0, "normal")


@pytest.mark.parametrize(
    ("changes", "expected", "tier"),
    [
        ({"rates": Rates(window=Counters(rejections=2.0))}, True, "saturated"),
        ({"rates": Rates(window=Counters(preemptions=1.0, rejections=0.0))}, True, "idle"),
        ({"rates": Rates(window=Counters(preemptions=1.0)), "kv_cache": 0.92}, True, "surge"),
        ({"rates": Rates(window=Counters(preemptions=0.0))}, False, "idle"),
        (
            {"back_pressure": True, "rates": Rates(window=Counters(preemptions=0.0))},
            True,
            "saturated",
        ),
        ({"counters": Counters(preemptions=5.0)}, None, "idle"),
    ],
)
def test_back_pressure_is_what_happened_within_a_minute(
    changes: dict[str, Any], expected: bool | None, tier: str
) -> None:
    """Totals of long ago say nothing; a full queue says so itself; one preemption fills no box."""
    result = snapshot(view(active=0, queued=0, max_slots=4, **changes))
    assert (result.llm.back_pressure, result.engines[0].back_pressure) == (expected, expected)
    assert result.demand.tier == tier


def test_quantiles_are_of_all_observations_together() -> None:
    """99 fast answers and one slow engine's single answer: the p95 is fast, no mean of p95s."""
    fast = Rates(latencies=seconds((0.1, 99.0), (10.0, 99.0)))
    slow = Rates(latencies=seconds((0.1, 0.0), (10.0, 1.0)))
    result = snapshot(view("a", rates=fast), view("b", rates=slow)).throughput
    assert result.ttft_p95_s is not None
    assert result.ttft_p95_s < 0.1


def test_rates_are_added_and_unknown_ones_left_out() -> None:
    """None where none reports it; totals are since the servers started."""
    result = snapshot(
        view("a", rates=Rates(10.0, 20.0, 1.0), counters=Counters(preemptions=3.0, stop=4.0)),
        view("b", rates=Rates(None, 5.0), counters=Counters(stop=1.0)),
        view("c", generation_tokens_per_s=7.0),
    ).throughput
    assert (result.prompt_tokens_per_s, result.generation_tokens_per_s) == (10.0, 32.0)
    assert (result.preemptions, result.finished.stop, result.finished.abort) == (3, 5, None)
    assert snapshot(view("a")).throughput.generation_tokens_per_s is None


def test_an_engine_marks_that_its_rates_are_lower_bounds() -> None:
    """What slots ended with unseen is in no rate: the engine's row says `at least`."""
    assert one(rates=Rates(1.0, 2.0, at_least=True)).rate_at_least
    assert not one(rates=Rates(1.0, 2.0)).rate_at_least


def test_old_rates_are_not_of_now() -> None:
    """An engine silent for longer than a missed poll adds no tokens."""
    silent = view("a", rates=Rates(1.0, 2.0), outcome=TIMEOUT, age_s=20.0)
    assert snapshot(silent).throughput.generation_tokens_per_s is None


@pytest.mark.parametrize(
    ("window", "share", "with_length"),
    [
        (Counters(stop=6.0, length=2.0, abort=1.0, error=1.0), 0.2, 0.4),
        (Counters(requests=20.0, abort=5.0), 0.25, 0.25),  # by SGLang's counters
        (Counters(requests=10.0, stop=4.0, length=0.0, abort=1.0), 0.1, 0.1),  # more reasons
        (Counters(requests=3.0, error=3.0), 1.0, 1.0),
        (Counters(stop=0.0, length=0.0, abort=0.0), None, None),
        (Counters(requests=10.0), None, None),  # no failures are counted
    ],
)
def test_burn_is_the_share_of_all_requests_that_broke_off(
    window: Counters, share: float | None, with_length: float | None
) -> None:
    """Successes and failures together; what max_tokens cut counts only where the user wants it."""
    engine = view(rates=Rates(window=window))
    strict = Policy(cost=CostPolicy(burn_counts_length=True))
    for policy, expected in ((Policy(), share), (strict, with_length)):
        result = snapshot(engine, policy=policy)
        assert (result.engines[0].burn, result.throughput.burn) == (expected, expected)


def test_frozen_gauges_are_marked() -> None:
    """vLLM whose core died says for ever that requests run."""
    stuck = one(active=2, stuck_s=31.0)
    assert stuck.error is not None
    assert "2 running requests" in stuck.error
    assert one(active=2, stuck_s=29.0).error is None
    assert one(active=2, stuck_s=99.0, kind="llamacpp").error is None  # it counts at the end


def test_gpu_processes_get_their_engines_name() -> None:
    """Workers included; the engine's VRAM is theirs together; other processes stay unnamed."""
    held = (Process(11, vram_bytes=GIB), Process(12, vram_bytes=2 * GIB), Process(99))
    scene = Scenario().says("nvml", GpusReading((DeviceReading(0, "GPU-a", processes=held),)))
    result = snapshot(view("a", pids=(10, 11, 12)), scene=scene)
    processes = result.gpus[0].processes
    assert processes is not None
    assert [p.engine for p in processes] == ["vllm@a", "vllm@a", None]
    assert result.engines[0].vram_bytes == 3 * GIB


def test_every_engine_is_a_row_of_the_health_strip() -> None:
    """After the seven and the driver; what it wants from the user stands there."""
    locked = view("b", health="auth-required", advice="name a key", latency_s=0.01)
    result = snapshot(view("a"), locked, view("c", outcome=TIMEOUT, age_s=13.0))
    rows = result.services[8:]
    assert [(r.name, r.kind, r.state) for r in rows] == [
        ("model-a", "vllm", "online"),
        ("model-b", "vllm", "auth-required"),
        ("model-c", "vllm", "stale"),
    ]
    assert (rows[1].error, rows[1].latency_ms, rows[2].error) == ("name a key", 10.0, "no answer")
    assert result.data_age_s == 1.0


def test_estimates_are_marked() -> None:
    """A derived bound is an estimate; what a server reports is not."""
    assert one(max_slots=8, slots_source="derived").slots_estimated
    assert not one(max_slots=8, slots_source="reported").slots_estimated
    assert one(kv_cache=0.5, kv_estimated=True).kv_estimated


def test_an_engine_only_box_has_no_request_price() -> None:
    """Costs in the stack's tokens are nobody's here."""
    assert snapshot(view("a", active=1), priced=False).pricing.base_cost_tokens is None
