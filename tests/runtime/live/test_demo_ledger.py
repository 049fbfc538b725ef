"""The demo's ledger: real entries and real flags of a simulated world, at any moment of it."""

import os
from collections.abc import Iterator

import pytest

from tokentop.config.load import load
from tokentop.config.schema import Config
from tokentop.domain.ledger.listing import Question
from tokentop.domain.snapshot_ledger import LedgerFigures
from tokentop.runtime.demo import STARTED_AT
from tokentop.runtime.ledger.entries import read
from tokentop.runtime.ledger.verify import verify
from tokentop.runtime.live.demo_ledger import DemoLedger
from tokentop.runtime.live.ledger import NoLedger, ledger_of
from tokentop.transport.ledger.database import connect

AT_S = 60.0


def demo(part: str = "whole", at_s: float | None = AT_S) -> Config:
    config = load({}, {}, None)
    return config._replace(demo=config.demo._replace(enabled=True, at_s=at_s, part=part))


@pytest.fixture(scope="module")
def frozen() -> Iterator[tuple[DemoLedger, LedgerFigures]]:
    """The ledger a minute into the demo."""
    one = DemoLedger(demo)
    figures = one.freeze(AT_S, STARTED_AT + AT_S)(STARTED_AT + AT_S)
    assert figures is not None
    yield one, figures
    one.stop()


def test_three_projects_and_a_task_that_runs_away(
    frozen: tuple[DemoLedger, LedgerFigures],
) -> None:
    """The task is flagged while it runs; it alone, at more than three times what is expected."""
    figures = frozen[1]
    assert {project.name for project in figures.projects} == {"agents", "research", "support"}
    assert all(project.velocity for project in figures.projects)
    (flag,) = figures.flags
    assert flag.running
    assert flag.escalated
    assert flag.projects == ("agents",)
    assert (flag.cost or 0) > 3 * (flag.expected or 0) > 0
    assert figures.to_classify == 20
    assert figures.decides is None


def test_the_clocks_run_and_the_reserve_is_apart(frozen: tuple[DemoLedger, LedgerFigures]) -> None:
    budgets = {budget.who: budget for budget in frozen[1].budgets}
    assert budgets["agents"].zero_in_s is not None
    assert 60 < budgets["agents"].zero_in_s < 3600
    assert (budgets["agents"].left_at_end or 0.0) < 0
    assert budgets["science"].reserve == pytest.approx(0.15 * 8)
    assert budgets["support"].estimated


def test_what_is_shown_is_a_whole_chain(frozen: tuple[DemoLedger, LedgerFigures]) -> None:
    """The real writer wrote it: verify finds nothing wrong, and as many entries as are shown."""
    ledger, figures = frozen
    config = ledger._config().ledger
    db = connect(config.path or "")
    found = verify(db)
    db.close()
    assert found.faults == ()
    assert sum(chain.size for chain in found.chains) == figures.entries
    assert read(config, {}, Question(limit=1)).total == figures.entries


def test_it_is_the_same_again_and_its_folder_goes(
    frozen: tuple[DemoLedger, LedgerFigures],
) -> None:
    """Nothing of a demo stays on the disk."""
    again = DemoLedger(demo)
    assert again.freeze(AT_S, STARTED_AT + AT_S)(STARTED_AT + AT_S) == frozen[1]
    folder = os.path.dirname(again._config().ledger.path or "")
    assert os.path.exists(folder)
    again.stop()
    assert not os.path.exists(folder)


async def test_other_parts_of_the_demo_do_not_show_the_users_ledger() -> None:
    """They have none, and say where there is one."""
    other = ledger_of(demo("engines"), demo)
    assert type(other) is NoLedger
    assert "--demo" in ((await other.page(Question())).problem or "")
