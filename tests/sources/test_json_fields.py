"""Tolerant reading of one value and one document."""

import math
from typing import Any

import pytest
from hypothesis import given

from tests.sources.anyjson import documents, encode
from tokentop.sources import json_fields as values
from tokentop.sources.json_fields import BadData, Fields, load

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the answer is empty"),
        (b" \r\n", "the answer is empty"),
        (b"<!doctype html><title>502</title>", "the answer is HTML, not JSON"),
        (b"\xef\xbb\xbf  <html>", "the answer is HTML, not JSON"),
        (b'{"queued": 1', "the answer is not valid JSON"),
        (b"OK", "the answer is not valid JSON"),
        (b"\xff\xfe\x00", "the answer is not UTF-8 text"),
        (b"[" * 200_000, "the answer is nested too deeply to be read"),
        (b'{"a":' * 200_000, "the answer is nested too deeply to be read"),
    ],
)
def test_a_body_that_is_no_json_is_refused_in_one_sentence(body: bytes, sentence: str) -> None:
    """Whatever is wrong with a body, BadData says it without quoting the body."""
    with pytest.raises(BadData) as caught:
        load(body)
    assert str(caught.value) == sentence


def test_a_byte_order_mark_is_no_reason_to_refuse() -> None:
    """Some frameworks write one."""
    assert load(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@given(documents)
def test_load_reads_whatever_json_can_say(document: object) -> None:
    """NaN, infinity and integers of 5000 digits are read (and refused later, field by field)."""
    load(encode(document))


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3.0),
        (2.5, 2.5),
        ("42", 42.0),
        (" 4.5e1 ", 45.0),
        ("-7", -7.0),
        (True, None),
        ("", None),
        ("12 GB", None),
        ("nan", None),
        ("1_000", None),
        ("٣", None),
        (math.nan, None),
        (math.inf, None),
        (10**400, None),
        (1e300, None),
        ("9" * 100_000, None),
        ([1], None),
        ({"value": 1}, None),
    ],
)
def test_a_number_is_finite_and_exact_or_refused(value: object, number: float | None) -> None:
    """Numbers come as JSON numbers or decimal text; everything else is None."""
    assert values.as_number(value) == number


@pytest.mark.parametrize(
    ("reader", "value", "expected", "bad"),
    [
        ("count", 3, 3, ()),
        ("count", 2.6, 3, ()),
        ("count", -1, None, ("x",)),
        ("count", False, None, ("x",)),
        ("count", None, None, ()),
        ("amount", -0.0, 0.0, ()),
        ("amount", -0.1, None, ("x",)),
        ("number", -5, -5.0, ()),
        ("size_mb", 1.5, MIB * 3 // 2, ()),
        ("size_mb", "24564", 24564 * MIB, ()),
        ("size_mb", 1e15, None, ("x",)),
        ("size_gb", 24, 24 * 1024 * MIB, ()),
        ("ratio", 0.42, 0.42, ()),
        ("ratio", 42, 0.42, ()),
        ("ratio", 1.2, 1.0, ("x",)),
        ("ratio", 101, None, ("x",)),
        ("ratio", -0.2, None, ("x",)),
        ("boolean", True, True, ()),
        ("boolean", "False", False, ()),
        ("boolean", 0, False, ()),
        ("boolean", 2, None, ("x",)),
        ("boolean", 1.0, None, ("x",)),
        ("text", "a\x1b[31mb\n", "ab", ()),
        ("text", 17, "17", ()),
        ("text", "", None, ()),
        ("text", ["a"], None, ("x",)),
        ("text", True, None, ("x",)),
        ("count_or_size", ["a", "b"], 2, ()),
        ("count_or_size", "b", None, ("x",)),
        ("names", ["a", {"name": "b"}, {"id": "c"}, "a"], ("a", "b", "c"), ()),
        ("names", {"a": {}, "b": {}}, ("a", "b"), ()),
        ("names", "a", ("a",), ()),
        ("names", [], (), ()),
        ("names", ["a", None, {"size": 3}], ("a",), ("x",)),
        ("names", 3, None, ("x",)),
    ],
)
def test_each_reader_reads_or_refuses(reader: str, value: object, expected: Any, bad: Any) -> None:
    """A missing field is None without a mark; an unusable one is None, or clamped, and named."""
    fields = Fields({"x": value})
    assert (getattr(fields, reader)("x"), fields.bad) == (expected, bad)


def test_the_first_name_that_holds_something_decides() -> None:
    """An alias counts where the newer name is missing or null, not where it is wrong."""
    assert Fields({"old": 4}).count("x", "new", "old") == 4
    assert Fields({"new": None, "old": 4}).count("x", "new", "old") == 4
    fields = Fields({"new": "many", "old": 4})
    assert (fields.count("x", "new", "old"), fields.bad) == (None, ("x",))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([1], [1]),
        ({"things": [1]}, [1]),
        ({"things": None}, ()),
        ({"items": [2], "more": 1}, [2]),
        ({"things": {"a": {"n": 1}}}, [{"n": 1}]),
    ],
)
def test_rows_come_bare_or_wrapped(document: object, expected: object) -> None:
    """null under the wrapper is how some languages write an empty list."""
    assert values.rows(document, "things", "items") == expected


@pytest.mark.parametrize("document", [{}, {"things": 3}, {"things": {"a": 1}}, "x", None, True, 1])
def test_rows_refuse_what_holds_no_list(document: object) -> None:
    """No list is not an empty list: zero devices would be a lie."""
    with pytest.raises(BadData):
        values.rows(document, "things")
