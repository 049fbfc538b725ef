"""Rows with plain column names."""

from typing import Any

import pytest

from tokentop.sources.usage.rows import Unreadable, event

ROW: dict[str, Any] = {
    "id": "r-1", "time": "2026-11-21T12:00:00Z", "user": "ada", "project": "alpha",
    "model": "gpt-4o", "input_tokens": "100", "output_tokens": "50", "cost_usd": "0.29",
}  # fmt: skip


def test_a_row_by_other_tools_names() -> None:
    found = event(ROW, "fallback")
    assert (found.identity, found.at_us) == ("file:r-1", 1_795_262_400_000_000)
    assert (found.prompt, found.generated, found.cached) == (100, 50, None)
    assert found.micro_usd == 290_000  # 0.29 * 1e6 is 289999.99999999994
    assert found.authenticated == ()


@pytest.mark.parametrize(
    ("text", "at_us"),
    [
        ("1795262400", 1_795_262_400_000_000),
        (1795262400.25, 1_795_262_400_250_000),
        (1795262400250, 1_795_262_400_250_000),
        (1795262400250000, 1_795_262_400_250_000),
        ("2026-11-21T13:00:00+01:00", 1_795_262_400_000_000),
        ("2026-11-21 12:00:00", 1_795_262_400_000_000),
    ],
)
def test_a_time_is_read_however_it_is_written(text: object, at_us: int) -> None:
    assert event({**ROW, "time": text}, "fallback").at_us == at_us


def test_gpu_time_alone_is_usage() -> None:
    row = {"time": 1795262400, "gpu": "RTX 4090", "gpu_seconds": 1.5, "vram_share": 0.4,
           "model": "own"}  # fmt: skip
    found = event(row, "row:1")
    assert (found.identity, found.gpu_ms, found.prompt) == ("row:1", 1500, None)
    assert found.vram_share == 400


@pytest.mark.parametrize(
    ("word", "outcome"),
    [("success", "success"), ("", "success"), ("ok", "success"), ("aborted", "aborted"),
     ("500", "failure")],
)  # fmt: skip
def test_an_outcome_is_one_of_ours(word: str, outcome: str) -> None:
    assert event({**ROW, "status": word}, "x").outcome == outcome


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"time": 1795262400}, "neither tokens nor GPU-seconds"),
        ({"prompt_tokens": 5}, "no time"),
        ({**ROW, "input_tokens": "-3"}, "prompt tokens are no count"),
        ({**ROW, "input_tokens": "NaN"}, "prompt tokens are no count"),
        ("text", "no object"),
        ([1], "no object"),
    ],
)
def test_what_is_no_usage_is_refused_in_words(row: object, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        event(row, "fallback")
