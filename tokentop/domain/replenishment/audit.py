"""Projects whose velocity rose while their tasks shrank: what many trivial tasks bring about."""

from collections.abc import Mapping

from tokentop.domain.replenishment.velocity import velocity
from tokentop.named_tuple import NamedTuple


class Month(NamedTuple):
    """What a project had in one month."""

    tasks: int = 0
    milli_credits: int = 0
    micro_usd: int = 0

    @property
    def velocity(self) -> float | None:
        return velocity(self.micro_usd, self.milli_credits)

    @property
    def credits_per_task(self) -> float | None:
        return self.milli_credits / 1000 / self.tasks if self.tasks else None


class Suspect(NamedTuple):
    """A project with its month before and the month that is audited."""

    project: str
    before: Month
    after: Month


def suspects(before: Mapping[str, Month], after: Mapping[str, Month]) -> list[Suspect]:
    """Those whose velocity rose from one month to the next while a task cost less, by name."""
    both = sorted(before.keys() & after.keys())
    found = (Suspect(project, before[project], after[project]) for project in both)
    return [each for each in found if _rose(each) and _shrank(each)]


def _rose(suspect: Suspect) -> bool:
    before, after = suspect.before.velocity, suspect.after.velocity
    return before is not None and after is not None and after > before


def _shrank(suspect: Suspect) -> bool:
    before, after = suspect.before.credits_per_task, suspect.after.credits_per_task
    return before is not None and after is not None and after < before
