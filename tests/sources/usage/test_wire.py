"""Protocol Buffers on the wire: what opentelemetry-proto wrote, and what nobody should send."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.usage.otlp_bodies import body, decoded
from tokentop.sources.usage.allowance import Allowance
from tokentop.sources.usage.bodies import Read
from tokentop.sources.usage.fields import Unreadable
from tokentop.sources.usage.otlp import messages, wire
from tokentop.sources.usage.otlp.records import Record, items
from tokentop.sources.usage.otlp.requests import SIGNALS, answer, status


def spans(name: str) -> list[Record]:
    found = wire.decode(memoryview(body(name)), messages.TRACES, Allowance())
    return list(items(found, "spans", "Spans"))


@pytest.mark.parametrize(
    ("engine", "file"),
    [
        ("vllm", "traces.llm_request.pb"),
        ("vllm", "traces.loading.pb"),
        ("sglang", "traces.requests.pb"),
        ("sglang", "traces.aborted_stream.pb"),
    ],
)
def test_every_span_is_what_the_vendors_library_reads(engine: str, file: str) -> None:
    expected = list(decoded(engine, file))
    listed = {each["span"] for each in expected}  # of SGLang's, those of whole requests
    found = [each for each in spans(f"{engine}/{file}") if each.item["spanId"] in listed]
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        assert (one.scope, one.item["name"]) == (other["scope"], other["name"])
        assert (one.item["traceId"], one.item["spanId"]) == (other["trace"], other["span"])
        assert one.item.get("parentSpanId", "") == other["parent"]
        assert one.item["startTimeUnixNano"] == other["start"]
        assert one.item["endTimeUnixNano"] == other["end"]
        own: Any = {key: one.values[key] for key in other["attrs"]}
        assert own == other["attrs"]


def test_both_encodings_of_one_client_have_the_same_shape() -> None:
    """Claude Code's logs in JSON by the standard library, in protobuf by the wire's rules."""
    document = json.loads(body("claude_code/logs.json"))
    binary = wire.decode(memoryview(body("claude_code/logs.pb")), messages.LOGS, Allowance())
    read = [
        [set(each.values) for each in items(found, "logRecords", "Logs")]
        for found in (document, binary)
    ]
    assert read[0] == read[1]


@given(st.sampled_from(SIGNALS), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(signal: str, data: bytes) -> None:
    schema = {"traces": messages.TRACES, "logs": messages.LOGS, "metrics": messages.METRICS}[signal]
    with suppress(Unreadable):
        assert isinstance(wire.decode(memoryview(data), schema, Allowance()), dict)


@given(st.integers(0, 2799), st.integers(0, 255))
def test_any_flipped_byte_is_read_or_refused(at: int, value: int) -> None:
    data = bytearray(body("vllm/traces.llm_request.pb"))
    data[at] = value
    with suppress(Unreadable):
        wire.decode(memoryview(data), messages.TRACES, Allowance())


def test_a_message_inside_of_itself_without_end_is_stepped_over() -> None:
    """A list in a list in a list, 100,000 deep, as the value of an attribute."""
    deep = b""
    for _ in range(2000):
        deep = wire.encoded(5, wire.encoded(1, deep) or b"\x0a\x00")
    attribute = wire.encoded(1, b"user.id") + wire.encoded(2, deep)
    resource = wire.encoded(1, wire.encoded(1, wire.encoded(1, attribute)))
    assert "resourceSpans" in wire.decode(memoryview(resource), messages.TRACES, Allowance())


def test_answers_are_those_of_the_specification() -> None:
    """ExportTraceServiceResponse{partial_success{rejected_spans = 3, error_message = "no"}}."""
    assert answer("traces", Read(), False) == b""
    assert answer("traces", Read(), True) == b"{}"
    assert answer("traces", Read((), 3, "no"), False) == b"\x0a\x06\x08\x03\x12\x02no"
    assert answer("logs", Read((), 300, None), False) == b"\x0a\x03\x08\xac\x02"
    assert status("no", False) == b"\x12\x02no"
    assert json.loads(status("no", True)) == {"message": "no"}
