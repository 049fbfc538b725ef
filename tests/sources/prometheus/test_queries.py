"""What adds up in our queries and what does not, over pages that were written for it."""

import pytest

from tests.sources.prometheus.asked import AT, answer
from tests.sources.prometheus.promql import WINDOW_S, Server, scraped
from tokentop.domain.engines.fleet_readings import FleetEngine, FleetReading
from tokentop.sources.prometheus.fleet import parse
from tokentop.sources.prometheus.queries import queries

# A counter and a gauge of each kind, and two label sets of each that are not the same requests.
SETS_APART = {
    "vllm engines": ("vllm:{}", ('engine="0",model_name="m"', 'engine="1",model_name="m"')),
    "vllm models": ("vllm:{}", ('engine="0",model_name="m"', 'engine="0",model_name="n"')),
    "sglang data-parallel ranks": (
        "sglang:{}", ('dp_rank="0",model_name="m"', 'dp_rank="1",model_name="m"')
    ),
    "triton models": ("nv_{}", ('model="m",version="1"', 'model="n",version="1"')),
    "triton versions": ("nv_{}", ('model="m",version="1"', 'model="m",version="2"')),
}  # fmt: skip
NAMES = {
    "vllm:{}": ("vllm:num_requests_running", "vllm:request_success_total"),
    "sglang:{}": ("sglang:num_running_reqs", "sglang:num_requests_total"),
    "nv_{}": ("nv_inference_pending_request_count", "nv_inference_request_success"),
}


def only(*pages: tuple[list[str], dict[str, str]]) -> FleetEngine:
    """The one engine of these pages' lines, each with its target's labels."""
    rows = [
        row
        for lines, target in pages
        for row in scraped(("\n".join(lines) + "\n").encode(), AT, **target)
    ]
    server = Server(rows)
    found = parse(
        {n: answer(*map(tuple, server.query(promql))) for n, promql in queries(None)}, None
    )
    assert isinstance(found, FleetReading)
    (engine,) = found.engines
    return engine


def lines(name: str) -> list[str]:
    form, (one, other) = SETS_APART[name]
    gauge, counter = NAMES[form]
    return [f"{gauge}{{{one}}} 2", f"{gauge}{{{other}}} 3",
            f"{counter}{{{one}}} 40", f"{counter}{{{other}}} 60"]  # fmt: skip


@pytest.mark.parametrize("name", SETS_APART)
def test_requests_of_one_server_add_up(name: str) -> None:
    """Over its engines, models, versions and data-parallel ranks."""
    engine = only((lines(name), {"job": "j", "instance": "i:1"}))
    reading = engine.reading
    assert (reading.active if reading.active is not None else reading.queued) == 5
    assert engine.rates.requests_per_s == pytest.approx(100 / WINDOW_S)


@pytest.mark.parametrize("name", SETS_APART)
def test_a_pair_of_prometheus_replicas_is_counted_once(name: str) -> None:
    """Both have scraped the same server; the label `replica` is all that differs."""
    target = {"job": "j", "instance": "i:1"}
    pages = ((lines(name), {**target, "replica": replica}) for replica in ("a", "b"))
    engine = only(*pages)
    reading = engine.reading
    assert (reading.active if reading.active is not None else reading.queued) == 5
    assert engine.rates.requests_per_s == pytest.approx(100 / WINDOW_S)


def test_tensor_parallel_ranks_are_counted_once() -> None:
    """They work on the same requests."""
    ranks = [f'dp_rank="0",model_name="m",tp_rank="{n}"' for n in range(4)]
    page = [f"sglang:num_running_reqs{{{rank}}} 5" for rank in ranks]
    page += [f'sglang:realtime_tokens_total{{mode="decode",{rank}}} 60' for rank in ranks]
    engine = only((page, {"job": "j", "instance": "i:1"}))
    assert (engine.reading.active, engine.rates.generation_tokens_per_s) == (5, 60 / WINDOW_S)
