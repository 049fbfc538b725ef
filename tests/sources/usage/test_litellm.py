"""LiteLLM's captured events, figure by figure as the vendor's record and usage say."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.payloads import payload
from tokentop.domain.ledger.event import UsageEvent
from tokentop.sources.usage.attribution import NO_NAMES
from tokentop.sources.usage.bodies import litellm_rows
from tokentop.sources.usage.rows import Unreadable, event

FOLDER = Path(__file__).parents[2] / "payloads" / "usage" / "litellm"
NAMES = sorted(path.name for path in FOLDER.glob("*.json"))


def captured(name: str) -> dict[str, Any]:
    document = json.loads(payload(f"usage/litellm/{name}"))
    found: dict[str, Any] = document[0] if isinstance(document, list) else document
    return found


def read(name: str, **changes: Any) -> UsageEvent:
    return event({**captured(name), **changes}, "fallback")


@pytest.mark.parametrize("name", NAMES)
def test_every_captured_event_is_one(name: str) -> None:
    """Its id, its owner and its cost are those of the record itself."""
    raw, found = captured(name), read(name)
    assert found.identity == f"litellm:{raw['litellm_call_id']}"
    assert (found.user, found.team, found.project) == ("ada", "Blue", "alpha")
    assert found.authenticated == ("user", "team", "project")
    assert found.at_us == round(raw["startTime"] * 1e6)
    assert found.micro_usd == round(raw["response_cost"] * 1e6)
    assert found.model == raw["model_group"]


@pytest.mark.parametrize("name", [name for name in NAMES if "cache_hit" not in name])
def test_tokens_are_those_of_the_usage(name: str) -> None:
    raw, found = captured(name), read(name)
    assert (found.prompt, found.generated) == (raw["prompt_tokens"], raw["completion_tokens"])


def test_a_request_has_all_that_attributes_it() -> None:
    """Header, tags and body came from the client, and none of them is called authenticated."""
    found = read("chat_success.json")
    assert (found.end_user, found.session, found.task) == ("eu-hdr", "sess-hdr", "T-42")
    assert (found.engine, found.provider) == ("node-a", "openai")
    assert (found.prompt, found.cached, found.generated, found.reasoning) == (19, 7, 12, None)
    assert (found.duration_ms, found.outcome, found.estimated) == (42, "success", False)


def test_a_cache_hit_repeats_no_tokens() -> None:
    found = read("chat_cache_hit.json")
    assert found.outcome == "cache-hit"
    assert (found.prompt, found.generated, found.micro_usd) == (0, 0, 0)


def test_a_client_that_hung_up_is_an_estimate() -> None:
    """LiteLLM calls it a success and guesses two to three times the tokens."""
    found = read("chat_stream_client_disconnected_499.json")
    assert (found.outcome, found.estimated, found.generated) == ("aborted", True, 1767)


@pytest.mark.parametrize("name", [name for name in NAMES if "failure" in name])
def test_a_failure_is_one(name: str) -> None:
    assert read(name).outcome == "failure"


def test_what_the_client_says_of_itself_is_not_authenticated() -> None:
    raw = captured("chat_success.json")
    raw["metadata"]["user_api_key_auth_metadata"] = {}
    found = event(raw, "fallback")
    assert found.project == "alpha"  # of the tag proj:alpha
    assert found.authenticated == ("user", "team")


def test_no_text_of_the_conversation_is_taken_over() -> None:
    for name in NAMES:
        words = " ".join(str(value) for value in read(name))
        assert "kalo" not in words
        assert "nusen" not in words
        assert "traceback" not in words.lower()


SPEND_ROW: dict[str, Any] = {  # the columns of LiteLLM_SpendLogs, as psql exports them to CSV
    "request_id": "chatcmpl-1", "call_type": "acompletion", "api_key": "b66d", "spend": "0.000043",
    "total_tokens": "31", "prompt_tokens": "19", "completion_tokens": "12",
    "startTime": "2026-11-21 15:22:15.601", "endTime": "2026-11-21 15:22:16.101",
    "model": "openai/tiny-llama", "model_id": "a" * 64, "model_group": "tiny-llama",
    "custom_llm_provider": "openai", "api_base": "http://10.0.0.7:8000/v1", "user": "ada",
    "metadata": json.dumps({
        "user_api_key_team_alias": "Blue", "status": "success",
        "usage_object": {"prompt_tokens_details": {"cached_tokens": 7}},
    }),
    "cache_hit": "False", "request_tags": '["project:beta"]', "team_id": "t-1", "end_user": "",
    "status": "success",
}  # fmt: skip


def test_a_row_of_the_spend_logs_is_read_like_an_event() -> None:
    found = event(SPEND_ROW, "fallback")
    assert found.identity == "litellm-request:chatcmpl-1"
    assert found.at_us == 1_795_274_535_601_000
    assert (found.prompt, found.cached, found.generated) == (19, 7, 12)
    assert (found.micro_usd, found.duration_ms) == (43, 500)
    assert (found.user, found.team, found.project) == ("ada", "Blue", "beta")
    assert found.authenticated == ("user", "team")
    assert found.engine == "10.0.0.7:8000"


def test_the_callback_and_the_spend_logs_name_a_call_alike() -> None:
    """So that what came by one is not booked again from the other."""
    call = captured("chat_success.json")["litellm_call_id"]
    row = {**SPEND_ROW, "litellm_call_id": call}
    assert event(row, "fallback").identity == read("chat_success.json").identity


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"prompt_tokens": -5}, "prompt tokens are no count"),
        ({"completion_tokens": "many"}, "generated tokens are no count"),
        ({"startTime": "yesterday"}, "no time that can be read"),
        ({"startTime": None}, "no time that can be read"),
    ],
)
def test_what_cannot_be_counted_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read("chat_success.json", **changes)


def test_hostile_text_is_cut_and_cleaned() -> None:
    raw = captured("chat_success.json")
    raw["model_group"] = "m\x1b[31m" + "x" * 1_000_000
    raw["metadata"]["user_api_key_user_id"] = "ada\u202e\nlovelace"
    found = event(raw, "fallback")
    assert len(found.model or "") == 256
    assert found.user == "ada lovelace"


@pytest.mark.parametrize(("model", "booked"), [("", 0), ("tiny", 1)])
def test_what_was_turned_away_before_a_model_was_named_is_no_request(
    model: str, booked: int
) -> None:
    """As 1.105 records each poll of /metrics without a key; a failed call of a model counts."""
    row = {"litellm_call_id": "4d245b32", "startTime": 1795321334.5, "endTime": 1795321334.6,
           "status": "failure", "model": model, "model_group": model, "prompt_tokens": 0,
           "completion_tokens": 0}  # fmt: skip
    found = litellm_rows(json.dumps([row]).encode(), NO_NAMES, 1_795_321_335_000_000)
    assert (len(found.events), found.refused) == (booked, 0)
