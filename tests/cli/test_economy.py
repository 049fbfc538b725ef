"""Value, swaps, velocity and flags on the command line, on a ledger of imported records."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import environment, in_process, run

CONFIG = """\
[ledger]
writer = "gpu-box"
time_zone = "UTC"
[[budget]]
name = "alphas"
project = "alpha"
unit = "credits"
period = "total"
limit = 100
[[budget]]
name = "betas"
project = "beta"
unit = "credits"
period = "total"
limit = 5
[[budget]]
name = "blues"
team = "blue"
unit = "credits"
period = "total"
limit = 1000
reserve_projects = ["lab"]
"""


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Twenty requests of alpha's at 2 credits each: 20,000 prompt tokens of a model at 100.

    And one of gamma's for a model that no price is known of.
    """
    folder = tmp_path_factory.mktemp("economy")
    (folder / "config.toml").write_text(CONFIG)
    rows = ["id,time,project,model,prompt_tokens,completion_tokens"]
    rows += [f"{n},2026-11-2{n % 2}T12:00:00Z,alpha,gpt-4o,20000,0" for n in range(20)]
    rows.append("20,2026-11-21T12:00:00Z,gamma,own,5,5")
    (folder / "usage.csv").write_text("\n".join(rows))
    env = environment(
        XDG_STATE_HOME=str(folder / "state"), TOKENTOP_CONFIG=str(folder / "config.toml")
    )
    done = in_process("ledger", "import", str(folder / "usage.csv"), env=env)
    assert done.stdout == "booked 21, in the ledger already 0, refused 0\n"
    return env


def said(*words: str, env: dict[str, str], by: Callable[..., Any] = in_process) -> str:
    done = by(*words, env=env)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_value_becomes_a_velocity(env: dict[str, str]) -> None:
    """40 credits and 12 USD: 0.3 USD a credit. A report of too much is corrected by another."""
    assert said("value", "alpha", "22", "--unit", "usd", env=env, by=run) == (
        "booked $22.00 of value for alpha\n"
    )
    assert said("ledger", "value", "alpha", "-10", env=env).startswith("booked -$10.00")
    assert said("ledger", "velocity", env=env).splitlines() == [
        "project   value  credits  USD a credit  credits a USD",
        "alpha    $12.00       40           0.3          3.333",
        "gamma         —        —             —              —",
    ]
    row, gamma = json.loads(said("ledger", "velocity", "--json", env=env))
    assert row == {
        "project": "alpha", "micro_usd": 12_000_000, "milli_credits": 40_000, "velocity": 0.3,
    }  # fmt: skip
    assert gamma["milli_credits"] is None


def test_a_swap_takes_what_is_left_and_no_more(env: dict[str, str]) -> None:
    """60 of 100 are left, then 10."""
    assert (
        said("swap", "alpha", "beta", "50", env=env, by=run) == "alpha leaves 50 credits to beta\n"
    )
    done = in_process("swap", "alpha", "beta", "10.5", env=env)
    assert done.returncode == 2
    assert done.stderr == "tokentop: alpha has 10 credits left in alphas\n"
    assert "none changed" in said("ledger", "verify", env=env)


def test_flags_say_how_many_are_left(env: dict[str, str]) -> None:
    assert said("flags", env=env, by=run) == (
        "no flags\n20 more to classify before the threshold may be tuned\n"
    )
    assert json.loads(said("flags", "--json", env=env)) == {"to_classify": 20, "flags": []}


def test_an_audit_without_suspects(env: dict[str, str]) -> None:
    found = said("ledger", "audit", env=env, by=run)
    assert found == "no project's velocity rose while its tasks shrank\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("value", "alpha"), "write `tokentop ledger value PROJECT N`"),
        (("value", "alpha", "much"), "'much' is no amount"),
        (("value", "alpha", "0"), "'0' is no amount"),
        (("value", "alpha", "1e999"), "is no amount"),
        (("value", "alpha", "0.0000001"), "is no amount"),
        (("value", "alpha", "5", "--unit", "points"), "'points' is no unit of value"),
        (("swap", "alpha", "alpha", "5"), "cannot swap with itself"),
        (("swap", "alpha", "beta", "-5"), "a number above 0"),
        (("swap", "alpha", "gamma", "5"), "gamma has no [[budget]] in credits"),
        (("swap", "gamma", "alpha", "5"), "gamma has no [[budget]] in credits"),
        (("swap", "lab", "beta", "5"), "the innovation reserve of blue, which stays there"),
        (("swap", "alpha", "beta", "5", "6"), "write `tokentop ledger swap A B N`"),
        (("ledger", "convert", "alpha", "runpod", "5"), "no live offer of runpod is known"),
        (("classify", "0123456789", "fine"), "there is no flag '0123456789'"),
        (("classify", "0123456789", "bad"), "'bad' is no verdict; it is one of fine, defer and"),
        (("flags", "--compact"), "takes no --compact"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(
    env: dict[str, str], words: tuple[str, ...], sentence: str
) -> None:
    done = in_process(*words, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_flag_of_a_server_is_classified(env: dict[str, str], tmp_path: Path) -> None:
    """As `tokentop serve` books it; the verdict says how many are left and how to stop it."""
    from tests.domain.detector.test_records import FLAG
    from tokentop.domain.detector.records import raised
    from tokentop.domain.economy.valuation import UNKNOWN
    from tokentop.transport.ledger.database import connect
    from tokentop.transport.ledger.writer import Writer

    (file,) = Path(env["XDG_STATE_HOME"]).glob("tokentop/ledger-*.sqlite3")
    db = connect(str(file))
    Writer(db, "server", lambda _: UNKNOWN).append([raised(FLAG)], FLAG.at_us)
    db.close()
    head, row, last = said("flags", env=env).splitlines()
    assert head.split()[:2] == ["flag", "since"]
    assert row.split() == [
        FLAG.id, "2026-11-21T12:00:00Z", "alpha", "own", "ticket", "7", "31", "10", "3.1", "to",
        "classify",
    ]  # fmt: skip
    assert last.startswith("20 more")
    assert said("classify", FLAG.id, "halt", env=env, by=run) == (
        f"{FLAG.id} is classified: halt; 19 more to classify\n"
        "`tokentop stop alpha` ends its spending\n"
    )
    assert said("flags", env=env).splitlines()[1].endswith(" halt")
