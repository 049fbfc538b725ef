"""Slots and queues as a reader takes them: what waits, what finds no slot, what has no slots."""

import pytest

from tests import engine_examples as boxes
from tests import examples
from tests.box import row, timeout
from tests.views.draw.test_panels import said
from tokentop.domain.snapshot import Llm, Snapshot
from tokentop.views.tui.draw.kit.line import DrawOptions
from tokentop.views.tui.draw.panels.slots import panel as slots
from tokentop.views.tui.draw.panels.slots import sections as sections

LOOK = DrawOptions(clock="12:04:31")
FULL = boxes.QWEN._replace(active=4, max_slots=4, queued=2)
SPARE = boxes.GEMMA._replace(active=1, max_slots=8, queued=0)
UNKNOWN = boxes.LLAMA._replace(active=2, max_slots=None)
GUESSED = boxes.GEMMA._replace(active=4, max_slots=4, queued=0)


@pytest.mark.parametrize(("width", "height"), [(110, 7), (110, 4), (78, 2), (78, 7), (50, 7)])
def test_what_waits_is_counted_whole(width: int, height: int) -> None:
    """2 wait at a full engine beside a free one: 2 queued, both of them beyond; never 0 queued."""
    text = said(slots.lines(boxes.box(FULL, SPARE).snapshot(), width, height, LOOK))
    assert "2 queued (+2" in text
    assert "0 queued" not in text


def test_a_full_stack_has_its_whole_queue() -> None:
    """63 wait while every slot of the stack is busy."""
    snap = Snapshot(llm=Llm(48, 63, 48, 0))
    for height in (2, 7):
        assert "63 queued (+63 beyond)" in said(slots.lines(snap, 78, height, LOOK))
    assert "beyond" not in said(slots.lines(examples.low(), 78, 7, LOOK))


@pytest.mark.parametrize(
    ("active", "queued", "most", "words"),
    [(4, 8, 16, "4/16 q8"), (12, 7, 16, "12/16 q7 +3"), (16, 8, 16, "16/16 +8"),
     (4, 8, None, "4 of — q8"), (4, 0, 16, "4/16")],
)  # fmt: skip
def test_only_what_finds_no_slot_has_a_plus(
    active: int, queued: int, most: int | None, words: str
) -> None:
    """Beneath an engine's section, for free slots, too few, none and unknown ones."""
    engine = row(boxes.QWEN._replace(active=active, queued=queued, max_slots=most))
    assert said([sections.figures([sections.Section(engine, 30)])]).strip() == words


def test_occupancy_compares_only_who_tells_slots() -> None:
    """4 of ≈4 here, 2 more where slots are unknown: neither 6/≈4, nor in the bar or the free."""
    snap = boxes.box(GUESSED, UNKNOWN).snapshot()
    assert said([slots.summary(snap, LOOK)]) == "4/≈4 active · +2 where slots are unknown"
    text = said(slots.lines(snap, 110, 7, LOOK))
    assert "+2 active where slots are unknown · of ≈4 slots" in text
    assert "   4 active" in text
    assert "4/≈4 +2" in said(slots.lines(snap, 78, 2, LOOK))
    assert "4/≈4 +2" in said(slots.lines(snap, 44, 1, LOOK))


def test_free_slots_are_those_of_engines_that_tell_theirs() -> None:
    """9 run where nobody knows the slots: about 7 are free elsewhere."""
    snap = boxes.box(SPARE, UNKNOWN._replace(active=9)).snapshot()
    assert "  ≈7 free" in said(slots.lines(snap, 110, 7, LOOK))


def test_the_silent_are_in_no_sum() -> None:
    """A stale engine takes its slots and its queue with it."""
    gone = FULL._replace(age_s=31.0, failure=timeout(FULL.url))
    heard = sections.counted_engines(boxes.box(SPARE, gone).snapshot())
    assert [engine.id for engine in heard] == [SPARE.id]
    assert sections.counted_engines(boxes.stale_engines()) == []


@pytest.mark.parametrize(("active", "queued"), [(456, 1234), (9876, 54_321), (123_456, 7)])
@pytest.mark.parametrize(("width", "height"), [(78, 2), (98, 2), (110, 7), (44, 1)])
def test_no_number_is_cut(active: int, queued: int, width: int, height: int) -> None:
    """However many requests run where the number of slots is unknown."""
    shown = slots.lines(Snapshot(llm=Llm(active, queued)), width, height, LOOK)
    for number in (active, queued):
        assert (str(number) if number <= 9999 else f"{number / 1000:.4g}"[:4]) in said(shown)
