"""Who spends on the simulated machine: three projects, and one task that runs away.

Requests are a function of the demo's time and the seed; before second 0 there are two hours.
"""

from collections.abc import Iterator
from math import ceil

from tokentop.demo.noise import uniform
from tokentop.demo.stack import HOST
from tokentop.domain.ledger.event import Outcome, UsageEvent
from tokentop.domain.policy import BudgetRule
from tokentop.light_typing import Final
from tokentop.named_tuple import NamedTuple

BEFORE_S: Final = 7200.0
RUNAWAY_S: Final = -40.0  # when the first task runs away
TASK_EVERY_S: Final = 240.0
RUNAWAY_EVERY_S: Final = 1800.0
_STEPS: Final = 8  # requests of an agent's task
_RUNAWAY_STEPS: Final = 500

BUDGETS: Final = (
    BudgetRule("agents", "project", "agents", "day", "credits", 8000.0),
    BudgetRule("support", "project", "support", "day", "tokens", 2_500_000.0),
    BudgetRule("science", "team", "science", "week", "usd", 8.0, reserve=0.15),
)
VALUES: Final = (("support", 30.0), ("research", 45.0), ("agents", 9.0))  # USD each time
VALUE_EVERY_S: Final = 1800.0


class Project(NamedTuple):
    """A project whose users ask all the time: one request each `every_s` seconds."""

    name: str
    team: str
    users: tuple[str, ...]
    models: tuple[str, ...]
    every_s: float
    prompt: int
    output: int
    task: str


_PROJECTS: Final = (
    Project(
        "support", "product", ("li", "ana", "noor"), ("gemma4-12b",), 12.0, 1300, 280, "answer",
    ),
    Project(
        "research", "science", ("mira",), ("deepseek-r2-70b", "deepseek-r2-70b", "gpt-4o"), 45.0,
        6200, 1500, "summary",
    ),
)  # fmt: skip
_GPUS: Final = {"gemma4-12b": "RTX 4090", "deepseek-r2-70b": "H200", "qwen3.6-27b": "H200"}


def events(since_s: float, until_s: float, began_us: int, seed: int) -> Iterator[UsageEvent]:
    """The requests at [since, until) of the demo's time; `began_us` is its second 0 in Unix µs."""
    for channel, project in enumerate(_PROJECTS):
        for number in _numbers(since_s, until_s, project.every_s):
            yield _asked(project, number, began_us, (seed, 700 + channel))
    for number in _numbers(since_s - _STEPS * 20.0, until_s, TASK_EVERY_S):
        yield from _between(_task(number, began_us, seed), since_s, until_s, began_us)
    passed_s = since_s - RUNAWAY_S - _RUNAWAY_STEPS * 2.0
    for number in _numbers(passed_s, until_s - RUNAWAY_S, RUNAWAY_EVERY_S):
        if number >= 0:
            yield from _between(_runaway(number, began_us), since_s, until_s, began_us)


def values(since_s: float, until_s: float) -> Iterator[tuple[float, str, float]]:
    """What the projects earned at [since, until): when, which one, USD."""
    for number in _numbers(since_s, until_s, VALUE_EVERY_S):
        for project, usd in VALUES:
            yield number * VALUE_EVERY_S, project, usd


def _numbers(since_s: float, until_s: float, every_s: float) -> range:
    """The numbers of what begins every so often, at [since, until)."""
    return range(ceil(since_s / every_s), ceil(until_s / every_s))


def _between(
    found: Iterator[UsageEvent], since_s: float, until_s: float, began_us: int
) -> Iterator[UsageEvent]:
    return (e for e in found if since_s <= (e.at_us - began_us) / 1e6 < until_s)


def _asked(project: Project, number: int, began_us: int, noise: tuple[int, int]) -> UsageEvent:
    """One request of a user; a few break off, whose tokens are then a guess."""
    size, luck = uniform(*noise, 2 * number), uniform(*noise, 2 * number + 1)
    model = project.models[number % len(project.models)]
    outcome: Outcome = "aborted" if luck < 0.05 else "failure" if luck < 0.06 else "success"
    prompt, output = round(project.prompt * (0.5 + size)), round(project.output * (0.5 + size))
    return _priced(
        UsageEvent(
            f"demo:{project.name}:{number}", began_us + round(number * project.every_s * 1e6),
            "litellm", outcome, outcome == "aborted", project.users[number % len(project.users)],
            project=project.name, team=project.team, model=model, task=project.task,
            prompt=prompt, cached=prompt // 3, generated=0 if outcome == "failure" else output,
        )
    )  # fmt: skip


def _task(number: int, began_us: int, seed: int) -> Iterator[UsageEvent]:
    """An agent's task: a conversation that grows a little with each of its steps."""
    for step in range(_STEPS):
        size = 0.8 + 0.4 * uniform(seed, 710, number * _STEPS + step)
        at_us = began_us + round((number * TASK_EVERY_S + step * 20.0) * 1e6)
        yield _step(f"fix-tests-{1046 + number}", step, at_us, round(size * (7000 + 600 * step)))


def _runaway(number: int, began_us: int) -> Iterator[UsageEvent]:
    """A task that tries the same again and again, with more and more context."""
    for step in range(_RUNAWAY_STEPS):
        at_us = began_us + round((RUNAWAY_S + number * RUNAWAY_EVERY_S + 2.0 * step) * 1e6)
        yield _step(f"fix-tests-{9001 + number}", step, at_us, min(180_000, 24_000 + 900 * step))


def _step(task: str, step: int, at_us: int, prompt: int) -> UsageEvent:
    return _priced(
        UsageEvent(
            f"demo:{task}:{step}", at_us, "litellm", user="ci-bot", project="agents",
            team="product", authenticated=("project",), model="qwen3.6-27b", session=task,
            task=task, prompt=prompt, cached=prompt * 3 // 5, generated=420, reasoning=160,
        )
    )  # fmt: skip


def _priced(event: UsageEvent) -> UsageEvent:
    """With what was measured of the request, and what the provider's price list charges."""
    prompt, cached, output = event.prompt or 0, event.cached or 0, event.generated or 0
    gpu = _GPUS.get(event.model or "")
    if gpu is None:
        return event._replace(provider="openai", micro_usd=round(2.5 * prompt + 10 * output))
    work_ms = round(0.12 * (prompt - cached) + 2.2 * output)
    return event._replace(
        provider="local", engine=HOST, gpu=gpu, gpu_ms=work_ms, duration_ms=9 * work_ms,
        micro_usd=round(0.2 * prompt + 0.6 * output),
    )  # fmt: skip
