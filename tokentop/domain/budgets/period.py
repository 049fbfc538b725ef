"""Where a budget's period begins and ends: local midnights, daylight saving included."""

from datetime import UTC, date, datetime, timedelta, tzinfo

from tokentop.domain.policy import BudgetPeriod
from tokentop.named_tuple import NamedTuple

SECOND_US = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Span(NamedTuple):
    """A period in Unix microseconds, without its end; a total begins at 0 and has no end."""

    start_us: int
    end_us: int | None

    def __contains__(self, at_us: object) -> bool:
        assert isinstance(at_us, int)
        return self.start_us <= at_us and (self.end_us is None or at_us < self.end_us)


def span(period: BudgetPeriod, at_us: int, zone: tzinfo) -> Span:
    """The period that holds a moment; weeks begin on Monday."""
    if period == "total":
        return Span(0, None)
    today = (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone).date()
    first = _first(period, today)
    return Span(_midnight(first, zone), _midnight(_next(period, first), zone))


def _first(period: BudgetPeriod, day: date) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day


def _next(period: BudgetPeriod, first: date) -> date:
    if period == "month":
        return _first("month", first + timedelta(days=31))
    return first + timedelta(days=7 if period == "week" else 1)


def _midnight(day: date, zone: tzinfo) -> int:
    """The first moment of a day: where clocks skip midnight, the moment at which they do."""
    moment = datetime(day.year, day.month, day.day, tzinfo=zone)
    return round((moment - _EPOCH) / timedelta(seconds=1)) * SECOND_US
