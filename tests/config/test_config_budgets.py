"""[[budget]] in the configuration: what it means, and the place and mend of each mistake."""

from pathlib import Path

import pytest

from tests.config.test_config_engines import read, refused
from tokentop.config import show
from tokentop.config.load import load
from tokentop.domain.policy import BudgetRule

ALPHA = '[[budget]]\nproject = "alpha"\nlimit = 50\n'


def test_a_budget_with_everything(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        '[[budget]]\nname = "blue"\nteam = "blue"\nperiod = "week"\nunit = "credits"\n'
        "limit = 1000\nthresholds = [1.2, 0.6, 1]\nreserve = 0.15\n"
        'reserve_projects = ["lab"]\nstop = true\nthrottle = 6\n',
    )
    assert config.budgets == (
        BudgetRule("blue", "team", "blue", "week", "credits", 1000.0, (0.6, 1.0, 1.2), 0.15,
                   ("lab",), True, 6),
    )  # fmt: skip
    again = tmp_path / "again.toml"
    shown = show.effective(config)
    again.write_text(shown[shown.index("[[budget]]") :])
    assert load({}, {}, str(again)).budgets == config.budgets


def test_the_least_that_a_budget_needs(tmp_path: Path) -> None:
    """USD a month, marked at half, four fifths and all of it, a tenth in reserve."""
    (found,) = read(tmp_path, ALPHA).budgets
    assert found == BudgetRule(
        "alpha month", "project", "alpha", "month", "usd", 50.0, (0.5, 0.8, 1.0), 0.1
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[budget]]\nlimit = 5", ":1: budget[1]: has no holder; write one of user, project, team"),
        (f'{ALPHA}user = "ada"', ":1: budget[1]: has user and project; write one of user"),
        ('[[budget]]\nuser = "ada"', ":1: budget[1].limit: is missing; write limit = 50.0"),
        (f"{ALPHA}{ALPHA}", ":4: budget[2].name: the name alpha month is budget[1]'s already"),
        (f'{ALPHA}period = "year"', ':4: budget[1].period: "year" is not known'),
        (f"{ALPHA}limit = -1", "not valid TOML"),
        ('[[budget]]\nuser = "ada"\nlimit = -1', "-1 is below 0.0; set it to at least 0.0"),
        (f"{ALPHA}thresholds = [80]", "has shares above 0 to 10 (0.8 is 80 %); write thresholds ="),
        (f'{ALPHA}thresholds = ["80%"]', "needs a list of numbers; write thresholds ="),
        (f'{ALPHA}reserve_projects = ["lab"]', "only a team has a reserve; leave it out"),
        (f"{ALPHA}throttle = 0", "0 is below 1; set it to at least 1"),
        ('[ledger]\ntime_zone = "Mars/Base"', ':2: ledger.time_zone: "Mars/Base" is no time zone'),
    ],
)
def test_what_is_wrong_is_named_with_its_mend(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in "\n".join(refused(tmp_path, text))
