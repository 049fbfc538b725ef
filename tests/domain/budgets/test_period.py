"""Periods begin at local midnights, whatever the clocks of a country do."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.domain.budgets.period import Span, span
from tokentop.domain.policy import BudgetPeriod

ZONES = sorted(name for name in available_timezones() if "/" in name)
BERLIN = ZoneInfo("Europe/Berlin")
moments = st.integers(1_577_836_800_000_000, 2_200_000_000_000_000)
periods: st.SearchStrategy[BudgetPeriod] = st.sampled_from(("day", "week", "month"))
zones = st.sampled_from(ZONES).map(ZoneInfo)


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


def local(at_us: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(at_us / 1e6, UTC).astimezone(zone)


@pytest.mark.parametrize(
    ("period", "at", "start", "end"),
    [
        ("day", "2026-03-29T12:00+02:00", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00"),
        ("day", "2026-10-25T12:00+01:00", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00"),
        ("week", "2026-10-25T23:59+01:00", "2026-10-19T00:00+02:00", "2026-10-26T00:00+01:00"),
        ("month", "2026-03-31T23:30+02:00", "2026-03-01T00:00+01:00", "2026-04-01T00:00+02:00"),
        ("month", "2026-12-31T23:30+01:00", "2026-12-01T00:00+01:00", "2027-01-01T00:00+01:00"),
    ],
)
def test_days_of_23_and_25_hours(period: BudgetPeriod, at: str, start: str, end: str) -> None:
    assert span(period, us(at), BERLIN) == Span(us(start), us(end))


def test_a_day_without_midnight_begins_when_the_clocks_skip_it() -> None:
    """Beirut's clocks go from 00:00 to 01:00."""
    found = span("day", us("2026-03-29T12:00+03:00"), ZoneInfo("Asia/Beirut"))
    assert found.start_us == us("2026-03-28T22:00+00:00")


def test_a_total_has_neither_beginning_nor_end() -> None:
    assert span("total", us("2026-03-29T12:00+02:00"), BERLIN) == Span(0, None)


@given(moments, periods, zones)
def test_a_moment_lies_in_its_period_and_the_next_begins_where_it_ends(
    at_us: int, period: BudgetPeriod, zone: tzinfo
) -> None:
    found = span(period, at_us, zone)
    assert at_us in found
    assert found.end_us is not None
    assert span(period, found.end_us, zone).start_us == found.end_us
    assert span(period, found.end_us - 1, zone) == found


@given(moments, zones)
def test_a_day_is_one_date_of_the_place(at_us: int, zone: tzinfo) -> None:
    found = span("day", at_us, zone)
    assert found.end_us is not None
    day = local(at_us, zone).date()
    assert local(found.start_us, zone).date() == day
    assert local(found.end_us - 1, zone).date() == day
    assert local(found.end_us, zone).date() > day


@given(moments, zones)
def test_a_week_begins_on_a_monday_and_a_month_on_its_first(at_us: int, zone: tzinfo) -> None:
    assert local(span("week", at_us, zone).start_us, zone).weekday() == 0
    assert local(span("month", at_us, zone).start_us, zone).day == 1
    days = span("week", at_us, zone)
    assert days.end_us is not None
    assert timedelta(days=6) < timedelta(microseconds=days.end_us - days.start_us) < timedelta(8)
