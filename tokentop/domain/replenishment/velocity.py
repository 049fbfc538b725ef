"""Token velocity: USD of reported business value per credit, over the last days."""

from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import DAY_US
from tokentop.domain.ledger.totals import SUMMED
from tokentop.domain.recent import Recent

MOST_PROJECTS = 2_000
MOST_DAYS = 92


def velocity(micro_usd: int, milli_credits: int) -> float | None:
    """USD per credit; None where nothing was spent that has a known value in credits."""
    return micro_usd / milli_credits / 1000 if milli_credits > 0 else None


class Velocities:
    """Value and credits of each project by day (UTC), of the last MOST_DAYS."""

    def __init__(self) -> None:
        self._projects: Recent[str, dict[int, tuple[int, int]]] = Recent(MOST_PROJECTS)

    def book(self, entry: Entry) -> None:
        """Take in an entry at its own time."""
        if entry.project and entry.kind == "value":
            self.add(entry.project, entry.at_us // DAY_US, entry.micro_usd or 0, 0)
        elif entry.project and entry.kind in SUMMED and entry.milli_credits:
            self.add(entry.project, entry.at_us // DAY_US, 0, entry.milli_credits)

    def add(self, project: str, day: int, micro_usd: int, milli_credits: int) -> None:
        """Add to a day, counted since 1970."""
        days = self._projects.use(project, dict)
        value, spent = days.get(day, (0, 0))
        days[day] = value + micro_usd, spent + milli_credits
        if len(days) > MOST_DAYS + 1:
            del days[min(days)]

    def of(self, project: str, now_us: int, days: int) -> float | None:
        """The velocity of so many days; None where no value was reported or nothing spent."""
        first = now_us // DAY_US - days
        found = [sums for day, sums in self._projects.get(project, {}).items() if day > first]
        if not any(value for value, _ in found):
            return None
        return velocity(sum(value for value, _ in found), sum(spent for _, spent in found))
