"""A page whose lines came before is read at once, and as if it were the first."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.payloads import PAGES, payload
from tokentop.sources import exposition, exposition_runs
from tokentop.sources.exposition import parse
from tokentop.sources.exposition_line import KEPT, number
from tokentop.sources.exposition_runs import KNOWN_RUNS, numbers
from tokentop.sources.metrics_page import Page

LABELS = ('{le="0.1"}', '{le="+Inf"}', '{model="a b",le="1"}')
NAMES = ("x_bucket", "x_count", "x_sum", "y_total")
HEADS = tuple(f"{name}{labels}" for name in NAMES for labels in LABELS)
WANTED = frozenset({"x_bucket", "y_total"})


def as_text(page: Page) -> str:
    """All that was read; NaN is like itself there."""
    return repr((page._series, page._damaged))


def at_first(body: bytes, wanted: frozenset[str] | None = None) -> str:
    KEPT.forget()
    return as_text(parse(body, wanted))


def later(body: bytes) -> bytes:
    """The same lines some time afterwards, with another digit for every one in a value."""
    digits = bytes.maketrans(b"0123456789", b"1234567899")
    return re.sub(rb"(?m)(?<= )[0-9.]+$", lambda value: value[0].translate(digits), body)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("some", [True, False])
def test_captured_pages(name: str, some: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its lines are known, not one is read by itself."""
    body = payload(name)
    names = sorted(parse(body)._series)
    wanted = frozenset(names[::2]) if some else None
    expected = [at_first(body, wanted), at_first(later(body), wanted)]
    assert expected[0] != expected[1]
    for _ in range(2):
        parse(body, wanted)
    monkeypatch.setattr(exposition, "number", None)
    assert [as_text(parse(each, wanted)) for each in (body, later(body))] == expected


TEXTS = st.sampled_from(("1_0", "٣", "0x1", "1e5", "+Inf", "NaN", "\t1", "1\r", "", "-3", "1e999"))


@given(st.lists(TEXTS | st.floats().map(str), min_size=len(HEADS), max_size=len(HEADS)))
@example(["1"] * len(HEADS))
def test_whatever_the_values_are(texts: list[str]) -> None:
    """One that is no number is none at the first poll, and none at the third."""
    body = page(HEADS, texts)
    expected = at_first(body, WANTED)
    for _ in range(3):
        parse(page(HEADS, ["7"] * len(HEADS)), WANTED)
    assert as_text(parse(body, WANTED)) == expected


@given(st.lists(st.sampled_from((*HEADS, "# HELP x_bucket", "", "y_total{", "z 1")), max_size=9))
def test_whatever_the_lines_are(heads: list[str]) -> None:
    """In another order, some missing, some twice, some damaged."""
    body = page(heads, ["3"] * len(heads))
    expected = at_first(body, WANTED)
    assert [as_text(parse(body, WANTED)) for _ in range(3)] == [expected] * 3


def page(heads: tuple[str, ...] | list[str], texts: list[str]) -> bytes:
    lines = (f"{head} {text}\n" for head, text in zip(heads, texts, strict=True))
    return ("# TYPE x histogram\n" + "".join(lines)).encode()


def test_another_reader_of_the_same_page_gets_its_own_series() -> None:
    body = page(HEADS, ["5"] * len(HEADS))
    for wanted in (WANTED, frozenset({"x_sum"}), None, WANTED):
        expected = at_first(body, wanted)
        assert [as_text(parse(body, wanted)) for _ in range(3)] == [expected] * 3


@given(st.lists(st.text(max_size=4), max_size=4))
def test_many_numbers_are_what_each_is(texts: list[str]) -> None:
    each = [number(text) for text in texts]
    assert repr(numbers(texts)) == repr(None if None in each else each)


def test_orders_without_end_take_no_room_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that writes its lines in another order at each poll."""
    monkeypatch.setattr(exposition_runs, "MOST_LINES", 100)
    for first in range(len(HEADS)):
        heads = HEADS[first:] + HEADS[:first]
        for _ in range(3):
            parse(page(heads, ["1"] * len(heads)), WANTED)
        assert 0 < len(KNOWN_RUNS._runs) * len(heads) <= 100
