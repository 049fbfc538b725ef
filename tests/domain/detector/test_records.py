"""Flags and verdicts as entries of the ledger."""

import pytest

from tests.domain.detector.stream import entry
from tests.domain.ledger.examples import NOON_US
from tokentop.domain.detector.flags import Raised, Verdict, flag_id
from tokentop.domain.detector.records import classified, raised, read
from tokentop.domain.detector.tasks import Group, TaskId
from tokentop.domain.ledger.entry import Entry, Link
from tokentop.domain.ledger.record import Record, recorded

TASK = TaskId(Group("alpha", "own", "ticket #", "conversation"), "c1")
FLAG = Raised(flag_id(TASK), NOON_US, 31_000, 10_000, TASK, "ticket 7")
TEAM = TaskId(Group("team blue", "", "", "request"), "1")
TOGETHER = Raised(flag_id(TEAM), NOON_US, 9000, 8000, TEAM, None, ("a, b", "c"), "concentration")


def booked(record: Record) -> Entry:
    return recorded(record, link=Link("a", 1, NOON_US), people={})


@pytest.mark.parametrize("flag", [FLAG, TOGETHER])
def test_what_is_booked_is_read_back(flag: Raised) -> None:
    """A flag has one identity in every process; verdicts on it have one a moment."""
    assert read(booked(raised(flag))) == flag
    assert read(booked(classified(flag, "defer", 5))) == Verdict(flag, "defer")
    assert raised(flag).identity == f"flag:{flag.id}"
    assert classified(flag, "defer", 5).identity != classified(flag, "halt", 6).identity


def test_what_a_newer_version_books_is_left_alone() -> None:
    assert read(booked(raised(FLAG)._replace(outcome="appealed"))) is None
    for details in (None, "", "[]", "{}", '{"unit": "day"}', '{"unit": 7, "about": []}'):
        assert read(entry(1, 5, kind="flag", details=details)) is None
