"""The ledger as the screen is shown it: three projects, a runaway task, and entries of a day."""

from tests import examples
from tests.box import WALL
from tokentop.domain.ledger.entry import Entry, Link, reversal
from tokentop.domain.ledger.listing import Listed, Page
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import CostInput
from tokentop.domain.snapshot_ledger import Budget, Flag, LedgerFigures, Project

BUDGETS = (
    Budget(
        "research", "team", "research", "month", "usd", 2000.0, 1204.5, 300.0, 90.0, 3.21,
        892_000.0, 620.0, None, "ok", ends_at="2026-12-01T00:00:00Z",
    ),
    Budget(
        "agents", "project", "agents", "day", "credits", 50_000.0, 44_120.0, None, None, 14_400.0,
        1470.0, -81_000.0, 0.8, "warning", estimated=True, ends_at="2026-11-22T00:00:00Z",
    ),
    Budget(
        "support", "project", "support", "day", "tokens", 4e6, 1.2e6, None, None, 80_000.0,
        126_000.0, 1.84e6, None, "ok", unknown=12,
    ),
    Budget(
        "batch", "project", "batch", "week", "credits", 9000.0, 9210.0, None, None, 0.0, 0.0,
        -210.0, 1.0, "stopped",
    ),
    Budget("ana", "user", "ana", "day", "usd", 5.0, 0.0, burn_per_hour=0.0, left_at_end=5.0),
    Budget("unmeasured", "user", "li", "total", "credits", 100.0, 40.0, state="throttled"),
)  # fmt: skip
PROJECTS = (
    Project("agents", 812, 18_300_000, 44_120.0, 61.2, 0.031),
    Project("support", 4210, 1_200_000, 2304.0, 4.11, 0.4),
    Project("batch", 96, 8_100_000, 9210.0, None, None, True, "its budget of the week is spent"),
    Project("sandbox", 7, 41_000, 3.5, 0.02),
)
FLAGS = (
    Flag("f-1", "task", "2026-11-21T11:58:00Z", ("agents",), "qwen3.6-27b", "refactor-billing",
         21_400.0, 3400.0, running=True, precedent="defer"),
    Flag("f-2", "task", "2026-11-21T11:02:00Z", ("agents",), "gpt-4o", "triage", 900.0, 250.0),
    Flag("f-3", "concentration", "2026-11-21T12:00:00Z", ("agents", "support"), cost=46_424.0,
         classified="fine", escalated=False),
)  # fmt: skip
FIGURES = LedgerFigures(
    BUDGETS, PROJECTS, FLAGS, 17, 5125, 27_641_000, 55_637.5, 65.33, 184_000, 0, None, 81_204, 1.2
)
_KINDS = (
    ("agents", "mira", "qwen3.6-27b", "refactor-billing", "vllm"),
    ("agents", "mira", "gpt-4o", "triage", "openai"),
    ("support", "li", "gemma4-12b", "answer", "vllm"),
    ("batch", "erased 9f3a11c2", "whisper-v3", None, None),
)
_OUTCOMES = ("success", "success", "success", "failure", "aborted", "success", "cache-hit")
WHY = (
    CostInput("prompt tokens, not cached", "3,000", "litellm"),
    CostInput("credits per million prompt tokens", "100", "gpt-4o in the table “published”"),
    CostInput("credits", "412.5", "computed by tokens"),
)


def listed(number: int) -> Listed:
    """The entry that is so many minutes old, as the ledger of the examples has it."""
    project, user, model, task, provider = _KINDS[(5 * number + number // 3) % 4]
    outcome = _OUTCOMES[number % 7]
    size = 1200 + 7919 * number % 60_000
    entry = Entry(
        "gpu-box-01", 81_204 - number, "usage", f"litellm:{number:04}",
        int((WALL - 60 * number) * 1e6), int((WALL - 60 * number + 2) * 1e6), "litellm", outcome,
        int(outcome == "aborted"), None, "u-1", None, project, "research", "project", model,
        provider, "gpu-box-01", f"req-{number}", f"s-{number % 3}", task, size, size // 3,
        None if outcome == "failure" else 40 + 613 * number % 4000, 12 * (number % 2), 1800,
        micro_usd=None if provider is None else 90 * size // 10,
        milli_credits=None if outcome == "failure" else 4 * size,
        valuation=None if outcome == "failure" else "v-1",
    )  # fmt: skip
    return Listed(entry, user, None, WHY if entry.valuation else ())


TAKEN_BACK = reversal(listed(1).entry, link=Link("gpu-box-01", 81_205, int(WALL * 1e6)))
ROWS = (listed(0)._replace(entry=TAKEN_BACK), *map(listed, range(1, 200)))
PAGE = Page("", ROWS, 81_204)


def of(project: str) -> Page:
    """What is read for a project's page."""
    rows = tuple(row for row in ROWS if row.entry.project == project)
    return Page(f'project:"{project}"', rows, len(rows))


def ledger() -> Snapshot:
    """A busy afternoon with a ledger beside it."""
    return examples.high()._replace(ledger=FIGURES)


def troubled() -> Snapshot:
    """The database is away: no decision can be made, and what is known is old."""
    figures = FIGURES._replace(
        decides="open", note="the ledger does not answer", age_s=47.0, to_classify=0,
        unattributed=None, overclaimed=None,
    )  # fmt: skip
    return ledger()._replace(ledger=figures)


def unused() -> Snapshot:
    """A ledger without entries and without budgets."""
    return ledger()._replace(ledger=LedgerFigures(age_s=0.4))
