"""A gateway's question and its answer, over a real socket and a real ledger."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time_ns
from typing import Any

import httpx
import pytest

from tests.domain.budgets.examples import rule
from tests.domain.ledger.examples import event
from tests.servers.service import Service, service
from tokentop.config.schema import AuthorizeConfig, Config, LedgerConfig
from tokentop.domain.budgets.authority import Asker, Refusal
from tokentop.domain.policy import BudgetRule
from tokentop.runtime.ledger import place
from tokentop.runtime.ledger.follower import Follower
from tokentop.runtime.serve.authorize import Authority

SPENT = rule(limit=100, stop=True, period="total")


class Counting(Follower):
    """Counts the questions."""

    asked = 0

    def refusal(self, asker: Asker, now_us: int) -> Refusal | None:
        self.asked += 1
        return super().refusal(asker, now_us)


class World:
    """A service whose authority follows the ledger at `path`."""

    def __init__(
        self, running: Service, web: httpx.Client, config: Config, follower: "Counting"
    ) -> None:
        self.port = running.port
        self.close = running.close
        self.web = web
        self.config = config
        self.follower = follower

    @property
    def asked(self) -> int:
        """How many questions there were so far."""
        return self.follower.asked

    def ask(self, **headers: str) -> httpx.Response:
        return self.web.get(
            "/v1/authorize", headers={f"x-tokentop-{n}": v for n, v in headers.items()}
        )

    def book(self, number: int, **values: object) -> None:
        """An event of now, handed over as the intake does."""
        now_us = time_ns() // 1000
        db = place.opened(self.config.ledger, {}, create=True)
        done = place.writer(db, self.config.ledger).append(
            [event(number, **{"at_us": now_us, **values})], now_us
        )
        db.close()
        self.follower.accounts.book(done.entries)


@contextmanager
def world(
    path: Path, *budgets: BudgetRule, authorize: AuthorizeConfig | None = None, create: bool = True
) -> Iterator[World]:
    ledger = LedgerConfig(path=str(path / "ledger.sqlite3"), writer="test")
    config = Config(ledger=ledger, budgets=budgets, authorize=authorize or AuthorizeConfig())
    if create:
        place.opened(ledger, {}, create=True).close()
    follower = Counting(lambda: config, {})
    follower.start()
    follower.wait(10)
    routes = Authority(lambda: follower, lambda: config).routes()
    try:
        with service(pages=routes) as running, httpx.Client(base_url=running.url) as web:
            yield World(running, web, config, follower)
    finally:
        follower.stop()


def test_a_budget_with_something_left_is_a_200_with_headers(tmp_path: Path) -> None:
    """The names go back, for the gateway to set on the request in place of forged ones."""
    with world(tmp_path, SPENT) as one:
        answer = one.ask(user="ada", project="alpha", team="blue")
    assert (answer.status_code, answer.content) == (200, b"")
    named = {name: answer.headers[f"x-tokentop-{name}"] for name in ("user", "project", "team")}
    assert named == {"user": "ada", "project": "alpha", "team": "blue"}
    assert answer.headers["cache-control"] == "no-store"
    assert "x-tokentop-decides" not in answer.headers


def test_a_spent_budget_is_a_refusal_that_clients_obey(tmp_path: Path) -> None:
    """429 with x-should-retry: false and no Retry-After, right after the spending."""
    with world(tmp_path, SPENT) as one:
        one.book(1)
        answer, other = one.ask(project="alpha"), one.ask(project="beta")
    assert answer.status_code == 429
    assert answer.headers["x-should-retry"] == "false"
    assert "retry-after" not in answer.headers
    assert answer.headers["x-tokentop-budget"] == "daily"
    assert answer.json()["error"] == {
        "message": "the budget daily of project alpha is spent: 150 tokens of 100 tokens",
        "type": "budget_exceeded",
        "code": "429",
    }
    assert other.status_code == 200


def test_the_refusal_can_be_chosen(tmp_path: Path) -> None:
    chosen = AuthorizeConfig(status=402, retry_after=True)
    with world(tmp_path, rule(limit=100, stop=True, period="month"), authorize=chosen) as one:
        one.book(1)
        answer = one.ask(project="alpha")
    assert answer.status_code == 402
    assert answer.headers["retry-after"] == answer.headers["x-tokentop-wait-s"]
    assert 0 < int(answer.headers["retry-after"]) <= 31 * 86_400
    assert answer.json()["error"]["code"] == "402"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"])
def test_any_method_and_any_path_below_is_the_same_question(tmp_path: Path, method: str) -> None:
    """Envoy sends the method and the path of the request itself, with its query."""
    with world(tmp_path, SPENT) as one:
        one.book(1)
        path = "/v1/authorize/v1/chat/completions?project=beta"
        answer = one.web.request(method, path, headers={"x-tokentop-project": "alpha"})
        away = one.web.get("/v1/authorized")
    assert answer.status_code == 429
    assert away.status_code == 404


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/authorize/" + "p" * 8000 + "?" + "q" * 8000, {}),
        ("/v1/authorize?" + "project=beta&" * 900, {}),
        ("/v1/authorize", {"x-forwarded-uri": "/" + "u" * 8000, "cookie": "c" * 30_000}),
        ("/v1/authorize", {"connection": "upgrade", "upgrade": "websocket"}),
        ("/v1/authorize/%2e%2e/%2e%2e/healthz", {}),
        ("/v1/authorize//..//", {}),
    ],
    ids=["path", "query", "headers", "websocket", "dots", "slashes"],
)
def test_a_clients_long_or_odd_request_is_the_same_question(
    tmp_path: Path, path: str, headers: dict[str, str]
) -> None:
    """A gateway would show its client any other answer, or 500 in its place."""
    with world(tmp_path, SPENT) as one:
        sent = {"x-tokentop-project": "alpha", **headers}
        assert one.web.get(path, headers=sent).status_code == 200
        one.book(1)
        assert one.web.get(path, headers=sent).status_code == 429


def test_the_address_may_name_the_project(tmp_path: Path) -> None:
    """Traefik cannot add a header to its question; what its owner wrote there goes first."""
    with world(tmp_path, SPENT) as one:
        one.book(1)
        answer = one.web.get("/v1/authorize?project=alpha", headers={"x-tokentop-project": "beta"})
    assert answer.status_code == 429


@pytest.mark.parametrize(
    ("scope", "header"),
    [
        ("user", "X-Auth-Request-User"), ("user", "X-Forwarded-User"), ("user", "Remote-User"),
        ("user", "x-jwt-claim-sub"), ("project", "OpenAI-Project"), ("team", "Remote-Groups"),
        ("team", "X-Auth-Request-Groups"), ("team", "X-Forwarded-Groups"),
        ("team", "OpenAI-Organization"),
    ],
)  # fmt: skip
def test_who_asks_is_in_the_usual_headers(tmp_path: Path, scope: str, header: str) -> None:
    """Of several groups the first counts, and our own header goes before all others."""
    budget = rule(scope=scope, who="grace", limit=0, stop=True, reserve=0.0)
    with world(tmp_path, budget) as one:
        found = one.web.get("/v1/authorize", headers={header: "grace, admins"})
        own = one.web.get("/v1/authorize", headers={header: "grace", f"x-tokentop-{scope}": "ada"})
    assert (found.status_code, own.status_code) == (429, 200)


def test_other_headers_can_be_named(tmp_path: Path) -> None:
    """They go before the usual ones."""
    chosen = AuthorizeConfig(project=("X-Cost-Center",))
    with world(tmp_path, rule(limit=0, stop=True), authorize=chosen) as one:
        sent = {"x-cost-center": "alpha", "x-tokentop-project": "beta"}
        assert one.web.get("/v1/authorize", headers=sent).status_code == 429


def test_of_a_repeated_header_the_last_counts(tmp_path: Path) -> None:
    """The gateway adds its own after the client's."""
    with world(tmp_path, rule(limit=0, stop=True)) as one:
        sent = [("x-tokentop-project", "beta"), ("x-tokentop-project", "alpha")]
        assert one.web.get("/v1/authorize", headers=sent).status_code == 429


def test_hostile_names_go_back_harmless(tmp_path: Path) -> None:
    with world(tmp_path) as one:
        answer = one.web.get("/v1/authorize?project=a%0d%0aset-cookie:%20x=1&user=" + "u" * 300)
        names = one.web.get("/v1/authorize", headers=[(b"x-tokentop-user", "zoë".encode())])
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert len(answer.headers["x-tokentop-user"]) < 300
    assert dict(names.headers.raw)[b"x-tokentop-user"] == "zoë".encode()


@pytest.mark.parametrize(("mode", "status"), [("open", 200), ("closed", 429)])
def test_without_a_ledger_the_configured_choice_holds_and_shows(
    tmp_path: Path, mode: str, status: int
) -> None:
    chosen = AuthorizeConfig(failure_mode=mode)
    with world(tmp_path, SPENT, authorize=chosen, create=False) as one:
        answer = one.ask(project="alpha")
        figures = one.follower.figures(time_ns() / 1e9)
    assert answer.status_code == status
    assert figures is not None
    assert figures.decides == mode
    assert figures.note is not None
    assert figures.note.startswith("there is no ledger at ")
    if mode == "open":
        assert answer.headers["x-tokentop-decides"] == "open"
    else:
        assert "the ledger cannot be read" in answer.json()["error"]["message"]


def test_a_stop_and_a_resume_over_http(tmp_path: Path) -> None:
    """The same entries as the command's: another collector's follower sees them too."""
    with world(tmp_path) as one:
        one.book(1)
        done = one.web.post("/v1/projects/alpha/stop")
        other = Follower(lambda: one.config, {})
        other.accounts.follow(time_ns() // 1000)
        figures = other.figures(time_ns() / 1e9)
        eventually(lambda: one.ask(project="alpha").status_code == 429)
        refused = one.ask(project="alpha").json()["error"]["message"]
        again = one.web.post("/v1/projects/alpha/resume")
        eventually(lambda: one.ask(project="alpha").status_code == 200)
    assert done.json()["outcome"] == "stop"
    assert figures is not None
    assert [(each.name, each.stopped) for each in figures.projects] == [("alpha", True)]
    assert refused.startswith("project alpha was stopped at 2")
    assert again.json()["text"] == "alpha may spend again"


@pytest.mark.parametrize("name", ["", "%00", "%20", "%1b[31m", "%e2%80%8b"])
def test_what_has_no_project_is_not_stopped_with_one_without_a_name(
    tmp_path: Path, name: str
) -> None:
    with world(tmp_path) as one:
        refused = one.web.post(f"/v1/projects/{name}/stop")
        assert (refused.status_code, refused.text) == (400, "a project needs a name\n")
        one.book(1, project=None)
        assert one.ask().status_code == 200


def test_a_long_name_is_that_of_its_entries(tmp_path: Path) -> None:
    """The ledger keeps 256 characters of it, and so does a decision about it."""
    with world(tmp_path) as one:
        one.web.post(f"/v1/projects/{'a' * 400}/stop")
        eventually(lambda: one.ask(project="a" * 400).status_code == 429)


def test_another_page_stops_nothing(tmp_path: Path) -> None:
    """A browser would send such a form from any page that is open in it."""
    with world(tmp_path) as one:
        forged = one.web.post("/v1/projects/alpha/stop", headers={"origin": "https://evil.example"})
        assert forged.status_code == 403
        assert one.web.get("/v1/projects/alpha/stop").status_code == 405
        assert one.ask(project="alpha").status_code == 200


def test_without_any_ledger_configured_there_is_no_authority() -> None:
    routes = Authority(lambda: None, Config).routes()
    with service(pages=routes) as running:
        answer = httpx.get(running.url + "/v1/authorize")
        stop = httpx.post(running.url + "/v1/projects/alpha/stop")
    assert (answer.status_code, stop.status_code) == (404, 404)
    assert answer.text == (
        "there is no ledger; set [ledger] or a [[budget]] in the configuration\n"
    )


def eventually(holds: Callable[[], Any], timeout_s: float = 10.0) -> None:
    """Ask until it holds: the ledger is read again at once, on another thread."""
    until = time_ns() + int(timeout_s * 1e9)
    while not holds():
        assert time_ns() < until
