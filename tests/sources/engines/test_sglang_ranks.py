"""SGLang's counters over ranks: tensor-parallel ranks repeat each other, all others add up."""

import pytest

from tests.sources.engines.conversations import read, text
from tokentop.sources.engines.sglang import Sglang

RETRACTED = "sglang:num_retracted_requests_total"
TOKENS = "sglang:realtime_tokens_total"


def page(*rows: str) -> dict[str, object]:
    return {"/metrics": text("sglang:num_running_reqs 1", *rows)}


@pytest.mark.parametrize(
    ("one", "other", "total"),
    [
        ('tp_rank="0"', 'tp_rank="1"', 5.0),  # the higher of two that repeat each other
        ('dp_rank="0"', 'dp_rank="1"', 8.0),
        ('model_name="a"', 'model_name="b"', 8.0),
    ],
)
def test_preemptions_over_ranks(one: str, other: str, total: float) -> None:
    reading = read(Sglang().poll(0.0), page(f"{RETRACTED}{{{one}}} 5", f"{RETRACTED}{{{other}}} 3"))
    assert reading.counters.preemptions == total


def test_the_row_without_a_priority_is_the_total() -> None:
    rows = (f'{RETRACTED}{{priority=""}} 9', f'{RETRACTED}{{priority="1"}} 4')
    assert read(Sglang().poll(0.0), page(*rows)).counters.preemptions == 9.0


def test_prefill_modes_add_up_and_decoding_stands_apart() -> None:
    """Prompt tokens are those computed and those from the cache; the cache's are the hits."""
    rows = (
        f'{TOKENS}{{mode="prefill_compute"}} 70',
        f'{TOKENS}{{mode="prefill_cache"}} 30',
        f'{TOKENS}{{mode="decode"}} 11',
    )
    counters = read(Sglang().poll(0.0), page(*rows)).counters
    assert (counters.prompt_tokens, counters.generation_tokens) == (100.0, 11.0)
    assert (counters.prefix_queries, counters.prefix_hits) == (100.0, 30.0)
