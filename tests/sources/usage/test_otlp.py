"""Captured exports as usage, by what their vendors' servers reported and other readers decoded."""

import json
from typing import Any

import pytest

from tests.sources.usage.otlp_bodies import NOW_US, body, decoded, read
from tokentop.domain.ledger.event import UsageEvent
from tokentop.sources.usage.fields import Unreadable
from tokentop.sources.usage.otlp import requests

CLAUDE_SESSION = "1d8fda42-eb69-4e86-921f-bdc14ffc1c95"
NOW_JSON = 1_795_274_656_000_000_000  # nanoseconds: the constructed span's start


def only(name: str) -> UsageEvent:
    found = read(name)
    assert (found.refused, found.reason) == (0, None)
    (event,) = found.events
    return event


def tokens(event: UsageEvent) -> tuple[int | None, ...]:
    return event.prompt, event.cached, event.generated, event.reasoning


def test_claude_code_counts_cached_tokens_beside_the_input() -> None:
    """Its server reported 234 fresh, 300 written to the cache, 1,000 read from it, and 56 out."""
    found = only("claude_code/logs.json")
    assert tokens(found) == (234 + 300 + 1000, 1000, 56, None)
    assert (found.session, found.team) == (CLAUDE_SESSION, "platform")
    assert found.task == "c41c718c-79c4-421d-9c5a-3798826cbb82"  # one prompt, however many requests
    assert found.duration_ms == 26
    assert found.at_us == 1_795_276_027_707_000 - 26_000
    assert found.authenticated == ()


def test_claude_codes_log_and_span_are_the_same_request() -> None:
    log, span = only("claude_code/logs.pb"), only("claude_code/traces.pb")
    assert log.identity == span.identity
    assert tokens(log) == tokens(span) == (1534, 1000, 56, None)


def test_claude_codes_own_price_holds_for_its_own_models_alone() -> None:
    """For a local model it invents one that is higher than its largest model's."""
    text = body("claude_code/logs.json")
    assert only("claude_code/logs.json").micro_usd == 2967
    local = text.replace(b"claude-sonnet-4-5", b"tiny-llama")
    (found,) = requests.read("logs", local, {}, NOW_US).events
    assert (found.model, found.micro_usd) == ("tiny-llama", None)


def test_codex_includes_cached_and_reasoning_and_sends_numbers_as_text() -> None:
    found = only("codex/logs.json")
    assert tokens(found) == (1234, 1000, 56, 7)
    assert found.session == "01a1fec3-5b8a-77b3-abaf-28895f9bd608"
    assert (found.user, found.team, found.model) == ("ada", "platform", "tiny-llama")


def test_gemini_clis_thoughts_are_generated_too() -> None:
    """Its server reported 49 tokens of an answer and 7 of thoughts."""
    found = only("gemini_cli/logs.json")
    assert tokens(found) == (1234, 1000, 49 + 7, 7)
    assert found.at_us == 1_795_275_646_485_000 - 40_000


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("claude_code/metrics.json", (1534, 1000, 56, None)),
        ("claude_code/metrics.pb", (1534, 1000, 56, None)),
        ("gemini_cli/metrics.json", (1234, 1000, 56, 7)),
    ],
)
def test_counters_add_up_to_what_the_log_has(name: str, expected: tuple[int | None, ...]) -> None:
    found = only(name)
    assert tokens(found) == expected
    assert found.session is not None


@pytest.mark.parametrize(
    "name", ["codex/metrics.token_usage.json", "litellm_otel/v2.metrics.pb",
             "constructed/genai_client_token_usage.metrics.otlp.json", "vllm/traces.loading.pb",
             "sglang/traces.scheduler.pb", "claude_code/logs.api_error_400.json"],
)  # fmt: skip
def test_sums_without_a_session_and_other_telemetry_are_no_usage(name: str) -> None:
    assert read(name) == ((), 0, None)


@pytest.mark.parametrize("name", ["v1.traces.pb", "v2.traces.pb", "v2.traces.json"])
def test_litellms_spans_are_its_calls(name: str) -> None:
    """One event a call: of V1's stream from the server's span, of no span a second time."""
    found = read(f"litellm_otel/{name}")
    assert found.refused == 0
    for each in found.events:
        assert each.identity.startswith("litellm:")
        assert (each.user, each.team, each.authenticated) == ("ada", "Blue", ("user", "team"))
    assert len({each.identity for each in found.events}) == len(found.events)


def test_a_span_of_litellm_has_price_cache_and_the_engine_that_answered() -> None:
    found = only("litellm_otel/v2.traces.json")
    assert found.identity == "litellm:593f0f69-064a-455c-9315-4ab9795d8264"
    assert tokens(found) == (19, 18, 12, None)
    assert (found.micro_usd, found.engine) == (43, "127.0.0.1:14880")
    assert found.end_user == "enduser-7"
    assert found.request == "chatcmpl-JMDmJY1ug2ve0dgHzuuCjqTuvhswU54C"


def test_vllms_spans_are_its_requests() -> None:
    """A request for two answers has two spans, each with the whole prompt."""
    spans = list(decoded("vllm", "traces.llm_request.pb"))
    one, twins, other = spans[0]["attrs"], spans[1:3], spans[3]["attrs"]
    found = read("vllm/traces.llm_request.pb").events
    assert [each.request for each in found] == [
        each["gen_ai.request.id"] for each in (one, twins[0]["attrs"], other)
    ]
    assert [(each.prompt, each.generated) for each in found] == [
        (one["gen_ai.usage.prompt_tokens"], one["gen_ai.usage.completion_tokens"]),
        (2, sum(each["attrs"]["gen_ai.usage.completion_tokens"] for each in twins)),
        (other["gen_ai.usage.prompt_tokens"], other["gen_ai.usage.completion_tokens"]),
    ]
    assert found[0].trace == spans[0]["trace"]
    assert found[0].at_us == spans[0]["start"] // 1000
    assert {each.engine for each in found} == {"vllm-node-a"}


def test_sglang_counts_the_prompt_once_and_a_stream_that_was_left() -> None:
    """Two answers make three spans, one of them a warm-up without tokens."""
    single, double = read("sglang/traces.requests.pb").events
    assert tokens(single) == (18, 0, 12, None)
    assert tokens(double) == (2, 1, 7 + 7, None)
    left = only("sglang/traces.aborted_stream.pb")
    assert (left.outcome, left.estimated, left.generated) == ("aborted", False, 436)


def test_present_earlier_and_openinferences_names_mean_the_same() -> None:
    found = read("constructed/genai_span_old_and_new.otlp.json").events
    assert [tokens(each) for each in found] == [
        (1234, 1000, 56, 7), (1234, None, 56, None), (1234, 1000, 56, 7)
    ]  # fmt: skip
    assert {(each.user, each.model, each.provider) for each in found} == {
        ("ada", "tiny-llama", "openai")
    }


def test_a_mapping_names_the_attribute_of_the_project() -> None:
    found = read("claude_code/logs.json", project=("cost_center",), team=("no.such", "host.arch"))
    (event,) = found.events
    assert (event.project, event.team) == ("42", "amd64")


def test_no_prompt_and_no_command_line_is_taken_over() -> None:
    """Gemini CLI's resource has the prompt among its arguments, LiteLLM's V1 in a span."""
    for name in ("gemini_cli/logs.json", "gemini_cli/metrics.json", "litellm_otel/v1.traces.pb"):
        words = str(read(name))
        assert "say hello" not in words
        assert "kalo" not in words
        assert "--max-old-space-size" not in words


def span(**attributes: Any) -> dict[str, Any]:
    """A span of one request to a model, as OTLP's JSON."""
    plain = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5, **attributes}
    listed = [{"key": key, "value": {"stringValue": value} if isinstance(value, str)
               else {"intValue": value}} for key, value in plain.items()]  # fmt: skip
    return {
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
        "startTimeUnixNano": str(NOW_JSON), "endTimeUnixNano": str(NOW_JSON), "attributes": listed,
    }  # fmt: skip


def exported(*spans: object) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}).encode()


def test_a_span_around_others_repeats_their_tokens() -> None:
    """A framework's span around the client library's, and an agent's around many."""
    inner = {**span(), "spanId": "b" * 16, "parentSpanId": "a" * 16}
    outer = {**span(), "spanId": "a" * 16}
    agent = {**span(**{"gen_ai.operation.name": "invoke_agent"}), "spanId": "c" * 16}
    found = requests.read("traces", exported(outer, agent, inner), {}, NOW_US)
    assert [each.identity[-16:] for each in found.events] == ["b" * 16]


@pytest.mark.parametrize("module", ["sglang::request", "client"])
def test_a_span_that_is_sent_twice_counts_once(module: str) -> None:
    """A collector's batch may hold it again, after a retry, with more attributes."""
    one, again = span(module=module), span(module=module, **{"gen_ai.request.model": "tiny"})
    (found,) = requests.read("traces", exported(one, again), {}, NOW_US).events
    assert (found.model, found.generated) == ("tiny", 5)


def test_what_no_answers_span_says_stays_unknown() -> None:
    """Of a request for two answers, whose spans have neither an end nor what was generated."""
    half = {
        **span(**{"gen_ai.usage.output_tokens": None, "module": "sglang::request"}),
        "endTimeUnixNano": None,
    }
    twin = {**half, "spanId": "b" * 16}
    (found,) = requests.read("traces", exported(half, twin), {}, NOW_US).events
    assert (found.prompt, found.generated, found.duration_ms) == (10, None, None)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"gen_ai.usage.input_tokens": -5}, "its prompt tokens are no count"),
        ({"gen_ai.usage.input_tokens": "many"}, "its prompt tokens are no count"),
        ({"gen_ai.usage.output_tokens": 10**12}, "1000000000000 generated tokens cannot be"),
    ],
)
def test_one_bad_span_costs_itself(attributes: dict[str, Any], reason: str) -> None:
    """The others of the same export are booked, and the answer says how many were not and why."""
    found = requests.read("traces", exported(span(**attributes), span()), {}, NOW_US)
    assert len(found.events) == 1
    assert (found.refused, found.reason) == (1, reason)
    answer = json.loads(requests.answer("traces", found, True))
    assert answer == {"partialSuccess": {"rejectedSpans": "1", "errorMessage": reason}}


def test_a_hostile_attribute_is_cut() -> None:
    """1 MB of text as the user's name, in both encodings."""
    huge = "x" * 1_000_000
    found = requests.read("traces", exported(span(**{"user.id": huge})), {}, NOW_US)
    assert len(found.events[0].user or "") == 256
    wire = body("vllm/traces.llm_request.pb")
    assert wire.count(b"platform") == 1
    assert len(requests.read("traces", wire, {}, NOW_US).events) == 3


@pytest.mark.parametrize(
    "bad", [b"{", b"[]", b"null", b"\xff\xff", b"\x0a\x05abc", b"\x0a\xff\xff\xff\xff\xff\xff\xff"
            b"\xff\xff\xff\x01", b"<html>"],
)  # fmt: skip
def test_what_is_no_export_is_refused_with_a_sentence(bad: bytes) -> None:
    with pytest.raises(Unreadable, match="the body is no"):
        requests.read("traces", bad, {}, NOW_US)


def test_an_empty_body_is_an_empty_export() -> None:
    """As OTLP says; JSON with other things in the places of objects holds nothing either."""
    odd = b'{"resourceSpans": [7, {"resource": 1, "scopeSpans": [{"spans": [null, "x", {}]}]}]}'
    for given in (b"", b"{}", odd):
        assert requests.read("traces", given, {}, NOW_US) == ((), 0, None)
