"""The bytes that are hashed, the chain, and what an entry that cancels another holds."""

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.ledger.examples import NOON_US, NOW_US, event
from tokentop.domain.ledger.entry import (
    GENESIS,
    Entry,
    Link,
    canonical,
    chained,
    encode,
    reversal,
    usage,
)
from tokentop.domain.ledger.event import DAY_US, problem
from tokentop.domain.ledger.totals import Totals, added, bucket, totals

PEOPLE = {"ada": "0123456789abcdef"}


def entry(**values: object) -> Entry:
    return usage(
        event(**values), link=Link("a", 1, NOW_US), people=PEOPLE, value=(25_000, "v" * 64)
    )  # type: ignore[arg-type]


def test_the_bytes_are_canonical_json() -> None:
    """Written out once, so that no later version hashes another text for the same entry."""
    assert encode(entry(cached=None)) == (
        b'{"at_us":1795262400000000,"booked_us":1795284000000000,"engine":"node-a","estimated":0,'
        b'"feed":"test","generated":50,"identity":"test:0","kind":"usage","micro_usd":7,'
        b'"milli_credits":25000,"model":"gpt-4o","outcome":"success","project":"alpha",'
        b'"prompt":100,"provider":"openai","seq":1,"team":"blue","user_id":"0123456789abcdef",'
        b'"valuation":"vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv",'
        b'"writer":"a"}'
    )


TEXT = st.text('aé€😀"\\\n\x01', max_size=8)


@given(st.dictionaries(st.text("abc_", min_size=1), st.integers() | TEXT | st.none(), max_size=6))
def test_values_of_any_kind_are_read_back_by_json(values: dict[str, object]) -> None:
    """Sorted, and nothing for what is unknown."""
    known = {name: value for name, value in values.items() if value is not None}
    data = canonical(values)
    assert json.loads(data) == known
    assert list(json.loads(data)) == sorted(known)


def test_text_is_escaped_as_rfc_8785_says() -> None:
    text = 'é€😀 "\\/\n\x01\x7f'
    assert canonical({"t": text}) == '{"t":"é€😀 \\"\\\\/\\n\\u0001\x7f"}'.encode()


def test_a_hash_is_over_the_one_before_and_the_bytes() -> None:
    first = chained(GENESIS, b"one")
    assert first == sha256(bytes(32) + b"one").digest()
    assert chained(first, b"two") == sha256(first + b"two").digest()


def test_a_name_stands_in_no_entry() -> None:
    assert b"ada" not in encode(entry())
    assert entry().user_id == PEOPLE["ada"]


def test_an_entry_and_its_reversal_sum_to_nothing() -> None:
    """In the hour of the entry itself, whenever it is cancelled; unknown stays unknown."""
    first = entry(cached=None, estimated=True)
    back = reversal(first, link=Link("b", 9, NOW_US + DAY_US))
    assert (back.writer, back.seq, back.at_us, back.reverses) == ("b", 9, NOON_US, "test:0")
    assert (back.prompt, back.cached, back.micro_usd, back.milli_credits) == (
        -100,
        None,
        -7,
        -25000,
    )
    assert bucket(back) == bucket(first)
    assert added(totals(first), totals(back)) == Totals()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"at_us": NOON_US // 1000}, "its time lies before 2020"),
        ({"at_us": NOW_US + DAY_US + 1}, "its time lies more than a day in the future"),
        ({"at_us": NOW_US + 3_600_000_000}, None),  # a clock an hour off
        ({"prompt": -1}, "-1 prompt tokens cannot be"),
        ({"generated": 10**9 + 1}, "1000000001 generated tokens cannot be"),
        ({"micro_usd": -5}, "-5 micro-USD cannot be"),
        ({"cached": 101}, "it has more cached than prompt tokens"),
        ({"reasoning": 51}, "it has more reasoning than generated tokens"),
        ({}, None),
    ],
)
def test_what_cannot_be_is_refused_in_words(values: dict[str, object], reason: str | None) -> None:
    assert problem(event(**values), NOW_US) == reason  # type: ignore[arg-type]
