"""Pages of engines, poll after poll, to what a user sees of them: rates, latencies, burn, names.

Every page is read by its engine's own adapter; what is expected is counted by hand.
"""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.sources.engines.conversations import AUTH_REQUIRED, LOADING, NOT_FOUND, Talk, obj, text
from tokentop.collect.collector import Collector
from tokentop.config.schema import Config, EngineConfig
from tokentop.domain.engines.readings import EngineKind
from tokentop.domain.policy import CostPolicy, Policy
from tokentop.domain.readings import Failure
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import Engine, Latencies
from tokentop.domain.snapshot_json import dumps
from tokentop.sources.engines.protocol import Answer, Hints
from tokentop.sources.engines.registry import adapter

URL = "http://127.0.0.1:8000"
RUNNING = 'vllm:num_requests_running{model_name="m"} 1'
Pages = dict[str, Answer | Failure]


class Box:
    """One engine of a kind that is polled every four seconds."""

    def __init__(self, kind: EngineKind, hints: Hints | None = None, **policy: Any) -> None:
        config = Config(engines=(EngineConfig("e", URL, kind),), policy=Policy(**policy))
        self.now = 1000.0
        self._collector = Collector(config, "box", False)
        self._adapter = adapter(kind, hints or Hints())
        self._id = f"{kind}@127.0.0.1:8000"

    def poll(self, pages: Pages, after_s: float = 4.0) -> Engine:
        """The engine's row after one more poll."""
        self.now += after_s
        result = Talk(pages).hold(self._adapter.poll(self.now))
        self._collector.engines().record(self._id, result, self.now, 0.01)
        return self.snapshot().engines[0]

    def snapshot(self) -> Snapshot:
        return self._collector.snapshot(self.now, 1.79e9)


def page(*lines: str) -> Pages:
    return {"/metrics": text(*lines)}


def tokens(value: float, engine: int = 0, model: str = "m") -> str:
    return f'vllm:generation_tokens_total{{engine="{engine}",model_name="{model}"}} {value}'


def test_a_label_set_that_skips_a_scrape_changes_nothing() -> None:
    """100 and 40 tokens/s; the second engine's million is no burst when it is back."""
    box, shown = Box("vllm"), []
    for step in range(8):
        first, second = tokens(5e5 + 400 * step, 0), tokens(1e6 + 160 * step, 1)
        row = box.poll(page(RUNNING, first, *(() if step in (3, 6) else (second,))))
        shown.append(row.generation_tokens_per_s)
    assert shown[0] is None
    assert shown[1:] == [pytest.approx(140.0)] * 7
    assert row.tokens_seen == (None, 560 * 7, False)


def test_a_label_set_that_arrives_with_a_history_gains_nothing_at_first() -> None:
    """300 tokens/s are true; the other model has made half a million before."""
    box, shown = Box("vllm"), []
    for step in range(6):
        later = (tokens(5e5 + 4 * step, 0, "other"),) if step >= 3 else ()
        row = box.poll(page(RUNNING, tokens(1e6 + 1200 * step), *later))
        shown.append(row.generation_tokens_per_s)
    assert max(s for s in shown if s is not None) <= 301.0
    assert shown[3] == pytest.approx(300.0)


@pytest.mark.parametrize("start_times", [True, False])
def test_two_replicas_behind_one_address_tell_no_rate(start_times: bool) -> None:
    """A hundred thousand tokens lie between them; the row says in words why there is no rate."""
    box, shown = Box("vllm"), []
    for step in range(12):
        start = (f"process_start_time_seconds {step % 2}",) if start_times else ()
        row = box.poll(page(RUNNING, tokens(1e5 + 1e5 * (step % 2) + 200 * step), *start))
        shown.append(row.generation_tokens_per_s)
    assert shown[2:] == [None] * 10
    assert "several processes answer at this address" in (row.error or "")
    assert box.snapshot().throughput.generation_tokens_per_s is None
    assert row.active == 1, "what runs is of the one that answered"


BUCKETS = 'vllm:{}_bucket{{le="{}",model_name="m"}} {}'


def serving(step: int) -> Pages:
    ttft = (("0.5", 80 * step), ("1.0", 96 * step), ("+Inf", 100 * step))
    lines = (BUCKETS.format("time_to_first_token_seconds", *each) for each in ttft)
    return page(RUNNING, tokens(400 * step), *lines)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (LOADING, "starting"),
        (AUTH_REQUIRED, "auth-required"),
        (text("python_info 1"), "no-metrics"),
        (Answer(b"<html>", "text/html"), "bad-data"),
    ],
)
def test_what_does_not_count_clears_rates_and_latencies(answer: Any, state: str) -> None:
    """They are not of now, in the row and in every sum, until two readings counted again."""
    box = Box("vllm")
    for step in range(3):
        row = box.poll(serving(step))
    assert (row.generation_tokens_per_s, row.latencies.ttft.p95_s) == (
        100.0,
        pytest.approx(0.96875),
    )
    row = box.poll({"/metrics": answer})
    assert (row.state, row.generation_tokens_per_s, row.latencies) == (state, None, Latencies())
    assert (row.ttft_s, row.ttft_p95_s, row.requests_per_s) == (None, None, None)
    whole = box.snapshot().throughput
    assert (whole.generation_tokens_per_s, whole.latencies) == (None, Latencies())
    assert row.tokens_seen == (None, 800, False), "what was counted stays counted"


def test_latencies_stand_in_json_by_name() -> None:
    """The quantiles of the last minute's observations; null where none is reported."""
    box = Box("vllm")
    box.poll(serving(0))
    box.poll(serving(1))
    (engine,) = json.loads(dumps(box.snapshot()))["engines"]
    # 100 observations: 80 within 0.5 s, 16 more within 1 s, four beyond the last bound.
    assert engine["latencies"]["ttft"] == {
        "p50_s": pytest.approx(0.3125), "p95_s": pytest.approx(0.96875), "p99_s": 1.0,
    }  # fmt: skip
    assert engine["latencies"]["decode"] == {"p50_s": None, "p95_s": None, "p99_s": None}
    assert engine["tokens_seen"] == {"prompt": None, "generated": 400, "at_least": False}


@pytest.mark.parametrize(
    ("line", "figure"),
    [
        ('vllm:kv_cache_usage_perc{model_name="m"} 1.4', "kv_cache"),
        ('vllm:kv_cache_usage_perc{model_name="m"} NaN', "kv_cache"),
        ('vllm:num_requests_waiting{model_name="m"} -1', "queued"),
        ('vllm:num_requests_waiting{model_name="m"} +Inf', "queued"),
        ('vllm:num_requests_waiting{model_name="m"} 1\nvllm:num_requests_waiting{model_name="m"} 2',
         "queued"),
        ('vllm:num_requests_waiting{model_name="m",model_name="n"} 2', "queued"),
        (tokens(-1), "generation_tokens"),
        ('vllm:prompt_tokens_total{model_name="m"} +Inf', "prompt_tokens"),
        ('vllm:request_success_total{finished_reason="stop"} NaN', "requests"),
    ],
)  # fmt: skip
def test_what_is_no_measurement_is_unknown_and_named(line: str, figure: str) -> None:
    """The engine is marked as bad data by the figure's name; its others stand."""
    box = Box("vllm")
    for _ in range(2):
        row = box.poll(page(RUNNING, *line.split("\n")))
    assert (row.error, row.reason) == (f"unusable values in {figure}", "bad-data")
    assert (row.queued, row.kv_cache, row.active) == (None, None, 1)
    assert (row.generation_tokens_per_s, row.prompt_tokens_per_s) == (None, None)
    assert row.burn is None


def test_a_page_is_read_for_what_it_has() -> None:
    """One engine series makes a page; a missing one is unknown, and nothing is "disabled"."""
    row = Box("vllm").poll(page('vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25'))
    assert (row.state, row.kv_cache, row.active, row.advice) == ("online", 0.25, None, None)
    loads = {"/metrics": text('sglang:token_usage{tp_rank="0"} 0.5')}
    row = Box("sglang").poll(loads)
    assert (row.state, row.kv_cache, row.active) == ("online", 0.5, None)


def slot(place: int, task: int, made: int, *, prompt: int = 10, held: int = 0) -> dict[str, object]:
    return {
        "id": place, "id_task": task, "n_ctx": 4096, "is_processing": True,
        "n_prompt_tokens": held, "n_prompt_tokens_processed": prompt,
        "next_token": [{"n_decoded": made}],
    }  # fmt: skip


def slots(*rows: dict[str, object]) -> Pages:
    return {"/props": obj({"total_slots": len(rows)}), "/slots": obj(list(rows))}


@pytest.mark.parametrize("last", [slot(0, 9, 30), slot(0, 7, 30)])
def test_a_task_that_ended_out_of_sight_makes_a_lower_bound(last: dict[str, object]) -> None:
    """Another task runs in its slot, or the server kept its number and began to count anew."""
    box = Box("llamacpp")
    box.poll(slots(slot(0, 7, 100)))
    row = box.poll(slots(slot(0, 7, 300)))
    assert (row.generation_tokens_per_s, row.rate_at_least) == (50.0, False)
    row = box.poll(slots(last))
    assert row.rate_at_least
    assert row.generation_tokens_per_s is not None
    assert row.tokens_seen is not None
    assert row.tokens_seen.at_least
    assert 200 <= (row.tokens_seen.generated or 0) <= 230


@pytest.mark.parametrize(
    ("hints", "held", "share"),
    [
        (Hints(one_pool=True), (2000, 1000), 3000 / 4096),  # no -np, or --kv-unified
        (Hints(one_pool=False), (2000, 1000), 3000 / (4 * 4096)),  # -np 4
        (Hints(), (2000, 1000), 3000 / 4096),  # as many as a server has by itself
        (Hints(), (4000, 4000), 8000 / (4 * 4096)),  # more than one pool could hold
    ],
)
def test_a_pool_that_slots_share_is_counted_once(
    hints: Hints, held: Sequence[int], share: float
) -> None:
    """Four slots of 4,096 cells each, or four slots over the same 4,096."""
    rows = [slot(place, place, 5, held=(*held, 0, 0)[place]) for place in range(4)]
    row = Box("llamacpp", hints).poll(slots(*rows))
    assert (row.kv_cache, row.kv_estimated) == (pytest.approx(share), True)


def ended(stop: int, length: int, abort: int, error: int) -> Pages:
    counts = {"stop": stop, "length": length, "abort": abort, "error": error}
    name = "vllm:request_success_total"
    return page(RUNNING, *(f'{name}{{finished_reason="{r}"}} {n}' for r, n in counts.items()))


@pytest.mark.parametrize(("counts_length", "burned"), [(False, 0.15), (True, 0.35)])
def test_silent_burn_is_of_all_requests_that_ended(counts_length: bool, burned: float) -> None:
    """20 ended, 2 were aborted, 1 failed; the 4 that max_tokens cut count where wanted."""
    box = Box("vllm", cost=CostPolicy(burn_counts_length=counts_length))
    box.poll(ended(500, 400, 300, 200))
    row = box.poll(ended(513, 404, 302, 201))
    assert row.burn == pytest.approx(burned)
    assert box.snapshot().throughput.burn == pytest.approx(burned)
    assert row.finished.length == 404, "listed apart, whatever counts"


def test_what_was_refused_before_a_token_is_no_burn() -> None:
    """LiteLLM: wrong keys, unknown models and rate limits; TGI: overload and validation."""
    failed = 'litellm_proxy_failed_requests_metric_total{{exception_status="{}"}} {}'
    box = Box("litellm")
    for step in (0, 1):
        counts = {"401": 70, "404": 80, "429": 90, "None": 60, "500": 2, "408": 1}
        lines = [failed.format(status, 1000 + step * n) for status, n in counts.items()]
        row = box.poll(page(f"litellm_requests_metric_total {100 + 27 * step}", *lines))
    assert row.burn == pytest.approx(3 / 30)
    box = Box("tgi")
    for step in (0, 1):
        counts = {"overloaded": 50, "validation": 40, "generation": 1}
        lines = [f'tgi_request_failure{{err="{e}"}} {step * n}' for e, n in counts.items()]
        row = box.poll(page(f"tgi_request_success {19 * step}", *lines))
    assert row.burn == pytest.approx(1 / 20)


def card(name: str, root: str, parent: str | None = None) -> dict[str, object]:
    return {"id": name, "object": "model", "root": root, "parent": parent}


def test_adapters_and_aliases_are_no_models() -> None:
    """`--served-model-name a b`, and two LoRA adapters on top of it."""
    cards = [card("qwen", "/m/q"), card("gpt-4", "/m/q"), card("sql", "/l/1", "qwen"),
             card("law", "/l/2", "qwen")]  # fmt: skip
    box = Box("vllm")
    row = box.poll({**page(RUNNING), "/version": NOT_FOUND, "/v1/models": obj({"data": cards})})
    assert (row.models, row.aliases, row.adapters) == (("qwen",), ("gpt-4",), ("sql", "law"))
    assert box.snapshot().llm.models == ("qwen",)


def test_a_list_of_names_is_bounded() -> None:
    """Forty thousand adapters: the first are named, and how many more there are."""
    cards = [card("qwen", "/m/q"), *(card(f"a{n}", "/l", "qwen") for n in range(40_000))]
    row = Box("vllm").poll({**page(RUNNING), "/v1/models": obj({"data": cards})})
    assert row.models == ("qwen",)
    assert len(row.adapters) + row.names_more == 40_000
    assert len(row.adapters) <= 256
