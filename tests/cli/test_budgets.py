"""Budgets of the installed command: in its views, over HTTP, stopped and resumed."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.cli.command import PATIENCE_S, environment, in_process, run, started
from tests.runtime.serve.greeting import port_of
from tests.views.test_schema import problems

API = "/api/system/token-economy"
BUDGET = '[[budget]]\nproject = "alpha"\nunit = "tokens"\nlimit = {limit}\nstop = true\n'


class Box:
    """A configuration with one budget, and a ledger with one request of 150 tokens just now."""

    def __init__(self, path: Path) -> None:
        self.config = path / "config.toml"
        self.limit(1000)
        self.env = environment(XDG_STATE_HOME=str(path / "state"), TOKENTOP_CONFIG=str(self.config))
        row = {"time": datetime.now(UTC).isoformat(), "id": "1", "project": "alpha",
               "prompt_tokens": 100, "completion_tokens": 50}  # fmt: skip
        records = path / "usage.jsonl"
        records.write_text(json.dumps(row))
        assert in_process("ledger", "import", str(records), env=self.env).returncode == 0

    def limit(self, tokens: int) -> None:
        self.config.write_text(BUDGET.format(limit=tokens))

    @contextmanager
    def serve(self) -> Iterator[str]:
        with started("serve", "--port", "0", "--no-gpus", "--interval", "0.5", env=self.env) as one:
            yield f"http://127.0.0.1:{port_of(one)}"


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def alerts(url: str) -> set[tuple[str, str]]:
    return {(each["name"], each["state"]) for each in httpx.get(url + API).json()["alerts"]}


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)  # another process reads its ledger once a second


def test_the_object_of_a_one_shot_has_the_budget(box: Box) -> None:
    """Read within the deadline, and valid by the schema."""
    found = json.loads(run("--json", "--no-gpus", env=box.env).stdout)
    assert problems(found) == []
    (budget,) = found["ledger"]["budgets"]
    assert (budget["name"], budget["spent"], budget["limit"]) == ("alpha month", 150, 1000)
    assert found["ledger"]["decides"] is None


def test_without_a_ledger_configured_there_is_none(box: Box) -> None:
    box.config.write_text("")
    assert json.loads(run("--json", "--no-gpus", env=box.env).stdout)["ledger"] is None


def test_serve_decides_and_follows_commands_and_the_file(box: Box) -> None:
    """A stop of another process holds within two looks, and so does a budget that was lowered.

    Usage waits at its sender while intake is off: by 404, not by the refusal of a bad record, after
    which the plugin would set it aside for good.
    """
    ask = {"x-tokentop-project": "alpha"}
    with box.serve() as url:

        def status() -> int:
            return httpx.get(f"{url}/v1/authorize", headers=ask).status_code

        eventually(lambda: httpx.get(url + API).json()["ledger"] is not None)
        page = httpx.get(f"{url}/metrics").text
        assert status() == 200
        waits = [httpx.post(url + path, json=[{}]) for path in ("/v1/litellm", "/v1/traces")]
        stopped = run("stop", "alpha", env=box.env)
        eventually(lambda: status() == 429)
        resumed = run("resume", "alpha", env=box.env)
        eventually(lambda: status() == 200)
        box.limit(100)
        eventually(lambda: status() == 429)
        eventually(lambda: ("budget-spent", "firing") in alerts(url))
        (budget,) = httpx.get(url + API).json()["ledger"]["budgets"]
    assert 'tokentop_budget_spent{budget="alpha month",scope="project",who="alpha"' in page
    assert (stopped.returncode, stopped.stdout) == (
        0, "alpha is stopped: gateways that ask tokentop refuse its requests from now on\n",
    )  # fmt: skip
    assert resumed.stdout == "alpha may spend again\n"
    assert [answer.status_code for answer in waits] == [404, 404]
    assert all("set intake = true in [ledger]" in answer.text for answer in waits)
    assert budget["state"] == "stopped"


def test_a_budget_that_comes_while_serving_is_followed(box: Box) -> None:
    """The file had none at the start, and so there was no ledger to follow."""
    ask = {"x-tokentop-project": "alpha"}
    box.config.write_text("")
    with box.serve() as url:
        assert httpx.get(f"{url}/v1/authorize", headers=ask).status_code == 404
        box.limit(100)
        eventually(lambda: httpx.get(f"{url}/v1/authorize", headers=ask).status_code == 429)
        eventually(lambda: ("budget-spent", "firing") in alerts(url))


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("stop",), "`tokentop stop` needs the project"),
        (("resume", "alpha", "beta"), "`tokentop resume` takes no further word"),
    ],
)
def test_a_decision_is_about_one_project(box: Box, words: tuple[str, ...], problem: str) -> None:
    done = in_process(*words, env=box.env)
    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr


def test_a_project_without_a_name_is_none(box: Box) -> None:
    done = in_process("stop", "\x1b[31m", env=box.env)
    assert (done.returncode, done.stderr) == (2, "tokentop: a project needs a name\n")


def test_a_misspelt_project_is_stopped_and_said(box: Box) -> None:
    """It may be meant: one that begins to spend tomorrow. A stop does not make it known."""
    for _ in range(2):
        done = in_process("stop", "alhpa", env=box.env)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == (
            "alhpa is stopped: gateways that ask tokentop refuse its requests from now on; "
            "the ledger has no entry of that project yet: did you mean alpha?\n"
        )
    other = in_process("resume", "zeta", env=box.env).stdout
    assert other == "zeta may spend again; the ledger has no entry of that project yet\n"


def test_a_stop_is_an_entry_that_verify_covers(box: Box) -> None:
    in_process("stop", "alpha", env=box.env)
    assert "2 entries, none changed" in in_process("ledger", "verify", env=box.env).stdout


def test_without_a_ledger_configured_nothing_is_stopped(box: Box) -> None:
    """No collector would follow it: the sentence must not promise a refusal."""
    box.config.write_text("")
    done = in_process("stop", "alpha", env=box.env)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "tokentop: nothing changes for alpha: there is no ledger; set [ledger] or a [[budget]] in "
        "the configuration\n"
    )
