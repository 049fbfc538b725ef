"""The public JSON keeps its published keys, order and meaning of null."""

import json

import pytest

from tokentop.domain import snapshot as model
from tokentop.domain.snapshot_engines import TokensSeen
from tokentop.domain.snapshot_json import dumps
from tokentop.domain.snapshot_ledger import Budget, Flag, LedgerFigures, Project
from tokentop.domain.verdict.values import Alert, Event, Health, Pool, Reason

SCHEMA = {
    "": "schema version at host interval_s demo services_online services gpus llm throughput"
    " engines health demand pricing capacity cloud mint parallel agents",
    "services_online": "genesis microscheduler compute accel parallel mint acta",
    "services[]": "name kind url state latency_ms age_s error",
    "gpus[]": "index uuid name node vram_used_bytes vram_total_bytes utilization temperature_c"
    " power_w power_limit_w mig memory_shared source age_s state processes",
    "gpus[].processes[]": "pid name user vram_bytes engine",
    "llm": "active queued max_slots free models kv_cache back_pressure partial source",
    "throughput": "prompt_tokens_per_s generation_tokens_per_s requests_per_s ttft_s itl_s",
    "engines[]": "id kind url version model models active queued max_slots slots_source kv_cache"
    " prompt_tokens_per_s generation_tokens_per_s ttft_s itl_s preemptions finished state age_s",
    "engines[].finished": "stop length abort error",
    "demand": "memory_pressure queue_pressure utilization tier message mode back_pressure source"
    " profile age_s reasons pools",
    "demand.pools[]": "model tier utilization active queued max_slots kv_cache health",
    "demand.reasons[]": "code text member",
    "health": "state reasons",
    "health.reasons[]": "code text member",
    "pricing": "multiplier source floor ceiling steepness midpoint base_cost_tokens"
    " effective_cost_tokens everything_free tokens_per_usd",
    "capacity": "threshold progress needed next_instance scale_down_in_s",
    "capacity.next_instance": "gpu vram_bytes region provider usd_per_hour tokens_per_hour source",
    "cloud": "instances active usd_per_hour",
    "cloud.instances[]": "id gpu region status model usd_per_hour",
    "mint": "supply circulation balance base_cost_tokens source",
    "parallel": "active_streams max_streams completed",
    "agents": "online active",
}

ADDITIVE = {
    "": "data_age_s cost events alerts ledger",
    "ledger": "budgets projects flags to_classify today_requests today_tokens today_credits"
    " today_usd unattributed overclaimed decides entries age_s note",
    "ledger.budgets[]": "name scope who period unit limit spent reserve reserve_spent burn_per_hour"
    " zero_in_s left_at_end threshold state estimated unknown ends_at",
    "ledger.projects[]": "name requests tokens credits usd velocity stopped why",
    "ledger.flags[]": "id kind at projects model task cost expected running escalated precedent"
    " classified",
    "alerts[]": "name state text member severity since",
    "events[]": "code text member at",
    "throughput": "ttft_p95_s itl_p95_s prefix_hit_ratio burn preemptions finished latencies",
    "engines[]": "name ttft_p95_s itl_p95_s requests_per_s prefix_hit_ratio rejections burn"
    " kv_estimated slots_estimated back_pressure advice error latency_ms source group router"
    " backends spend pids vram_bytes rate_at_least latencies aliases adapters tokens_seen"
    " names_more kv_gpu_bytes weights_gpu_bytes",
    "engines[].latencies": "ttft itl e2e queue prefill decode",
    "engines[].latencies.ttft": "p50_s p95_s p99_s",
    "engines[].tokens_seen": "prompt generated at_least",
    "throughput.latencies": "ttft itl e2e queue prefill decode",
    "pricing": "usd_per_hour usd_per_mtok_reserved usd_per_mtok_busy usd_per_mtok_best"
    " reference_name reference_usd_per_mtok bounds",
    "pricing.bounds": "usd_per_hour usd_per_mtok_reserved usd_per_mtok_busy usd_per_mtok_best",
    "cost": "basis usd_per_hour watts kwh_per_mtok measured_s busy_s tokens partial explained"
    " bounds gaps needs",
    "gpus[]": "note mig_gi mig_ci mig_slot throttle xids detail",
    "gpus[].processes[]": "detail",
    "llm": "age_s stale models_more slots_estimated kv_estimated",
    "demand": "stale headline at_least",
    "demand.pools[]": "free at_least slots_estimated kv_estimated",
    "services[]": "reason member",
    "cloud": "age_s stale",
    "cloud.instances[]": "active",
    "mint": "stale",
    "parallel": "stale",
    "agents": "stale",
}

FULL = model.Snapshot(
    services=(model.Service("nvml", "nvml"),),
    gpus=(model.Gpu(processes=(model.Process(1),)),),
    engines=(model.Engine("e", "vllm", tokens_seen=TokensSeen(1, 2)),),
    cloud=model.Cloud(instances=(model.CloudInstance(),)),
    health=Health("down", (Reason("engine_down", "it is down"),)),
    events=(Event("tier", "demand rose", None, "2026-11-21T12:04:31.000Z"),),
    ledger=LedgerFigures(
        budgets=(Budget("b", "project", "p", "day", "usd", 5.0, 1.0),),
        projects=(Project("p", 3),),
        flags=(Flag("f", "task", "2026-11-21T12:04:31.000Z", ("p",)),),
    ),
    alerts=(Alert("busy", "firing", "it is busy"),),
    demand=model.Demand(reasons=(Reason("queue_full", "they wait"),), pools=(Pool("m"),)),
)


def at(value: object, path: str) -> object:
    for step in filter(None, path.replace("[]", ".0").split(".")):
        value = value[int(step)] if isinstance(value, list) else value[step]  # type: ignore[index]
    return value


@pytest.mark.parametrize("path", {**SCHEMA, **ADDITIVE})
def test_published_keys_come_first_in_their_order(path: str) -> None:
    """Every object starts with the published keys; what was added since stands behind them."""
    keys = list(at(json.loads(dumps(FULL)), path))  # type: ignore[call-overload]
    published = SCHEMA.get(path, "").split()
    assert keys[: len(published)] == published
    assert set(ADDITIVE.get(path, "").split()) <= set(keys[len(published) :])


def test_the_zero_state_is_whole_json() -> None:
    """With no answer at all, every key is there, unknowns are null and seven services are false."""
    value = json.loads(dumps(model.Snapshot()))
    assert list(value)[: len(SCHEMA[""].split())] == SCHEMA[""].split()
    assert value["schema"] == "tokentop/1"
    assert list(value["services_online"].values()) == [False] * 7
    assert value["demand"]["utilization"] is None
    assert value["cloud"]["instances"] is None
    assert value["gpus"] == []


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_are_finite(number: float) -> None:
    """A number that JSON cannot say is null."""
    odd = model.Snapshot(llm=model.Llm(kv_cache=number), gpus=(model.Gpu(power_w=number),))
    value = json.loads(dumps(odd), parse_constant=pytest.fail)
    assert value["llm"]["kv_cache"] is None
    assert value["gpus"][0]["power_w"] is None


def test_hostile_text_stays_one_ascii_line() -> None:
    """A name with newlines, escapes and lone surrogates is one printable line and comes back."""
    name = 'a\n"\x1b[31m\u202e\ud800é'
    text = dumps(model.Snapshot(host=name))
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)["host"] == name


def test_none_zero_and_false_stay_apart() -> None:
    """0, false, an empty list and null each keep their own meaning."""
    llm = model.Llm(active=0, models=(), back_pressure=False)
    value = json.loads(dumps(model.Snapshot(llm=llm)))["llm"]
    assert (value["active"], value["models"], value["back_pressure"]) == (0, [], False)
    assert value["queued"] is None
