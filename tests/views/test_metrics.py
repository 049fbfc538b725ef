"""The metrics page: read by Prometheus' own Python parsers, and checked by promtool."""

import shutil
import subprocess
from collections.abc import Callable

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_parser,
)
from prometheus_client.parser import text_string_to_metric_families as text_parser

from tests import engine_examples, examples
from tokentop.domain.snapshot import Demand, Gpu, Llm, Service, Snapshot
from tokentop.domain.snapshot_engines import Engine, Finished, TokensSeen
from tokentop.domain.snapshot_ledger import Budget, Flag, LedgerFigures, Project
from tokentop.domain.verdict.values import Health, Pool
from tokentop.views.metrics import openmetrics, prometheus

STATES = {**examples.STATES, **engine_examples.STATES}
Found = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(text: str, parser: Callable[[str], object] = text_parser) -> Found:
    """(name, labels) -> value; a sample that comes twice fails."""
    found: Found = {}
    for family in parser(text):  # type: ignore[attr-defined]
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return found


@pytest.mark.parametrize("name", STATES)
def test_both_formats_hold_the_same_figures(name: str) -> None:
    """Every example is a valid page in both formats, and they agree sample by sample."""
    snapshot = STATES[name]()
    plain = read(prometheus(snapshot))
    assert plain == read(openmetrics(snapshot), openmetrics_parser)
    assert len(plain) > 10


def test_what_is_unknown_has_no_sample() -> None:
    """The zero state shows no load and no price; a known 0 is a sample."""
    nothing = read(prometheus(Snapshot()))
    assert not [
        key for key in nothing if key[0].startswith(("tokentop_requests", "tokentop_slots"))
    ]
    assert not [
        key for key in nothing if key[0] in ("tokentop_demand_tier", "tokentop_demand_mode")
    ]
    assert not [key for key in nothing if "usd" in key[0]]
    idle = read(prometheus(Snapshot(llm=Llm(active=0))))
    assert idle[("tokentop_requests_active", ())] == 0
    assert ("tokentop_requests_queued", ()) not in idle


def test_the_figures_in_base_units() -> None:
    """Seconds, bytes, ratios; each with the labels that say whose it is."""
    snapshot = Snapshot(
        version="9.9", at="2026-11-21T12:00:00.500Z", host="box",
        services=(Service("genesis", "aither", state="online", latency_ms=12.5, age_s=1.0),),
        gpus=(Gpu(3, "GPU-a", "H200", "n1", 1024, 4096, 0.5, 61.0, 350.0),),
        engines=(Engine("vllm@h:1", "vllm", model="Qwen", active=7, kv_cache=0.25,
                        finished=Finished(stop=4), tokens_seen=TokensSeen(10, 20)),),
        demand=Demand(utilization=0.9, tier="surge", pools=(Pool("Qwen", "high"),)),
        health=Health("degraded"),
    )  # fmt: skip
    found = read(prometheus(snapshot))
    gpu, engine = (("gpu", "GPU-a"),), (("engine", "vllm@h:1"),)
    service = (("kind", "aither"), ("service", "genesis"))
    expected = {
        ("tokentop_build_info", (("host", "box"), ("version", "9.9"))): 1,
        ("tokentop_snapshot_timestamp_seconds", ()): 1795262400.5,
        ("tokentop_service_latency_seconds", service): 0.0125,
        ("tokentop_gpu_memory_used_bytes", gpu): 1024,
        ("tokentop_gpu_utilization_ratio", gpu): 0.5,
        ("tokentop_gpu_temperature_celsius", gpu): 61,
        ("tokentop_gpu_power_watts", gpu): 350,
        ("tokentop_engine_requests_active", engine): 7,
        ("tokentop_engine_kv_cache_ratio", engine): 0.25,
        ("tokentop_engine_requests_finished_total", (*engine, ("reason", "stop"))): 4,
        ("tokentop_engine_tokens_total", (("direction", "generated"), *engine)): 20,
        ("tokentop_demand_utilization_ratio", ()): 0.9,
    }
    assert {key: found.get(key) for key in expected} == expected
    info = [dict(labels) for name, labels in found if name == "tokentop_gpu_info"]
    assert info == [{"gpu": "GPU-a", "index": "3", "name": "H200", "node": "n1", "source": "nvml"}]


@pytest.mark.parametrize(
    ("family", "present", "states"),
    [
        ("tokentop_demand_tier", "saturated",
         {"idle", "low", "moderate", "high", "surge", "saturated"}),
        ("tokentop_demand_mode", "saturated", {"normal", "pressure", "saturated"}),
        ("tokentop_health", "ok", {"ok", "starting", "degraded", "down", "unknown"}),
    ],
)  # fmt: skip
def test_states_are_state_sets(family: str, present: str, states: set[str]) -> None:
    """All states are there, one of them 1: a state that goes away does not go stale."""
    found = read(openmetrics(examples.saturated()), openmetrics_parser)
    values = {
        dict(labels)[family]: value for (name, labels), value in found.items() if name == family
    }
    assert set(values) == states
    assert {state for state, value in values.items() if value} == {present}


def test_budgets_and_projects_have_their_own_families() -> None:
    """Amounts in the unit that is a label; what is unknown, and a total's end, has no sample."""
    figures = LedgerFigures(
        budgets=(Budget("alpha month", "project", "alpha", "month", "usd", 50.0, 40.5,
                        burn_per_hour=2.0, zero_in_s=17_100.0, state="stopped", unknown=3),),
        projects=(Project("alpha", 12, tokens=4000, usd=1.25, velocity=0.08, stopped=True),),
        flags=(Flag("a", "task", "", ("alpha",)), Flag("b", "task", "", (), escalated=False)),
        to_classify=19,
        entries=812, age_s=0.5, decides="open",
    )  # fmt: skip
    found = read(openmetrics(Snapshot(ledger=figures)), openmetrics_parser)
    budget = (("budget", "alpha month"), ("scope", "project"), ("unit", "usd"), ("who", "alpha"))
    project = (("project", "alpha"),)
    expected = {
        ("tokentop_budget_limit", budget): 50,
        ("tokentop_budget_spent", budget): 40.5,
        ("tokentop_budget_burn_per_hour", budget): 2,
        ("tokentop_budget_zero_seconds", budget): 17_100,
        ("tokentop_budget_unknown_requests", budget): 3,
        ("tokentop_budget_left_at_end", budget): None,
        ("tokentop_budget_reserve_limit", budget): None,
        ("tokentop_project_usd_today", project): 1.25,
        ("tokentop_project_credits_today", project): None,
        ("tokentop_project_stopped", project): 1,
        ("tokentop_project_velocity", project): 0.08,
        ("tokentop_ledger_flags_waiting", ()): 1,
        ("tokentop_ledger_flags_to_classify", ()): 19,
        ("tokentop_ledger_entries", ()): 812,
        ("tokentop_ledger_undecided", ()): 1,
    }
    assert {key: found.get(key) for key in expected} == expected
    states = {dict(labels)["tokentop_budget_state"]: value for (name, labels), value
              in found.items() if name == "tokentop_budget_state"}  # fmt: skip
    assert {state for state, value in states.items() if value} == {"stopped"}
    assert not [key for key in read(prometheus(Snapshot())) if "budget" in key[0]]


def test_names_of_others_are_labels_and_nothing_more() -> None:
    """Quotes, backslashes and line breaks come back as they were; twins are shown once."""
    odd = 'a"b\\c\nd{}'
    twins = (Engine(odd, "vllm", active=1), Engine(odd, "vllm", active=2))
    snapshot = Snapshot(engines=twins, demand=Demand(pools=(Pool(odd, active=3),)))
    for found in (read(prometheus(snapshot)), read(openmetrics(snapshot), openmetrics_parser)):
        assert found[("tokentop_engine_requests_active", (("engine", odd),))] == 1
        assert found[("tokentop_pool_requests_active", (("model", odd),))] == 3


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool: apt-get install prometheus")
@pytest.mark.parametrize("name", ["both", "priced", "troubled", "mig", "hostile"])
def test_promtool_finds_nothing_to_mend(name: str) -> None:
    """Units, suffixes, HELP and TYPE are as the linter of Prometheus wants them."""
    page = prometheus(STATES[name]())
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=page, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
