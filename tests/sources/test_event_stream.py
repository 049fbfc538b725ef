"""Server-Sent Events, as the HTML standard describes them, in pieces of any size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.sources.event_stream import EventParser, ServerEvent
from tokentop.sources.json_fields import BadData

STREAM = (
    b"retry: 2000\n\n: keep-alive\n\nid: a-1\ndata: one\n\n"
    b"data:two\ndata: lines\r\n\r\nevent: odd\n\nid: a-2\r\ndata: last\n\n"
)
EVENTS = [
    ServerEvent("a-1", b"one"),
    ServerEvent("a-1", b"two\nlines"),
    ServerEvent("a-2", b"last"),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12).map(sorted))
def test_events_come_out_whole_however_they_are_cut(cuts: list[int]) -> None:
    """Comments, `retry` and unknown fields are no events; an id holds until the next one."""
    parser, found = EventParser(1000), []
    for start, end in zip([0, *cuts], [*cuts, len(STREAM)], strict=True):
        found += parser.feed(STREAM[start:end])
    assert found == EVENTS


@pytest.mark.parametrize("data", [b"data: " + b"x" * 200, b"data: x\n" * 200])
def test_an_event_without_end_is_refused(data: bytes) -> None:
    with pytest.raises(BadData):
        EventParser(150).feed(data)


@pytest.mark.parametrize("odd", [b"a b", b"a\x00", "é".encode(), b"x" * 201, b""])
def test_an_id_that_no_header_can_carry_is_none(odd: bytes) -> None:
    """It would be sent back in Last-Event-ID."""
    assert EventParser(1000).feed(b"id: %s\ndata: 1\n\n" % odd) == [ServerEvent(None, b"1")]
