"""Value and verdicts over a real socket, into a real ledger."""

import gzip
from collections.abc import Iterator

import httpx
import pytest

from tests.domain.detector.test_records import FLAG
from tests.domain.ledger.examples import NOON_US
from tests.servers.service import service
from tokentop.config.schema import Config, LedgerConfig
from tokentop.domain.detector.records import raised
from tokentop.runtime.ledger import place
from tokentop.runtime.ledger.follower import Follower
from tokentop.runtime.serve.economy import VALUE, Economy
from tokentop.runtime.serve.guard import Rules
from tokentop.secret import Secret
from tokentop.transport.ledger import following, reader
from tokentop.transport.ledger.database import Database

RULES = Rules(frozenset(), Secret("owner"), receiving=frozenset({VALUE}),
              sender_token=Secret("gateway"))  # fmt: skip
OWNER = {"authorization": "Bearer owner"}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    path = tmp_path_factory.mktemp("economy") / "ledger.sqlite3"
    return Config(ledger=LedgerConfig(path=str(path), writer="test"))


@pytest.fixture(scope="module")
def web(config: Config) -> Iterator[httpx.Client]:
    db = place.opened(config.ledger, {}, create=True)
    place.writer(db, config.ledger).append([raised(FLAG)], NOON_US)
    db.close()
    follower = Follower(lambda: config, {})
    follower.start()
    follower.wait(10)
    routes = Economy(lambda: follower, lambda: config, {}).routes()
    with (
        service(pages=routes, rules=RULES) as running,
        httpx.Client(base_url=running.url, headers=OWNER) as client,
    ):
        yield client
    follower.stop()


@pytest.fixture
def db(config: Config) -> Iterator[Database]:
    connection = place.opened(config.ledger, {})
    yield connection
    connection.close()


def test_value_is_booked_once_by_its_id(web: httpx.Client, db: Database) -> None:
    report = {"project": "alpha", "value": 120.25, "unit": "usd", "id": "invoice-7"}
    first, again = web.post(VALUE, json=report), web.post(VALUE, json=report)
    assert (first.status_code, first.json()) == (201, {"booked": True})
    assert (again.status_code, again.json()) == (200, {"booked": False})
    entry = reader.entry(db, "value:invoice-7")
    assert entry is not None
    assert (entry.project, entry.micro_usd) == ("alpha", 120_250_000)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", 'write {"project"'),
        (b"[" * 10_000, 'write {"project"'),
        (b'{"project": "alpha"}', 'write {"project"'),
        (b'{"project": "alpha", "value": true}', "is no amount"),
        (b'{"project": "alpha", "value": {"usd": 1}}', "is no amount"),
        (b'{"project": 7, "value": 1}', 'write {"project"'),
        (b'{"project": "", "value": 1}', "a project needs a name"),
        (b'{"project": "\\u001b[31m", "value": 1}', "a project needs a name"),
        (b'{"project": "alpha", "value": 1e400}', "is no amount"),
        (b'{"project": "alpha", "value": NaN}', "is no amount"),
        (b'{"project": "alpha", "value": 5, "id": ""}', "an id has 1 to 200"),
        (b'{"project": "alpha", "value": 5, "id": "' + b"x" * 201 + b'"}', "an id has 1 to 200"),
        (b'{"project": "alpha", "value": 5, "unit": "points"}', "is no unit of value"),
    ],
)
def test_what_is_no_report_is_refused(web: httpx.Client, body: bytes, sentence: str) -> None:
    answer = web.post(VALUE, content=body)
    assert answer.status_code == 400
    assert sentence in answer.text
    assert answer.text.count("\n") == 1


def test_a_gateways_token_reports_no_value(web: httpx.Client) -> None:
    """Value moves budgets: that is its owner's, not of whoever may send usage."""
    report = {"project": "alpha", "value": 1}
    for token in ("gateway", "x"):
        sent = {"authorization": f"Bearer {token}"}
        assert web.post(VALUE, json=report, headers=sent).status_code == 401


def test_a_report_is_short_packed_or_not(web: httpx.Client) -> None:
    """It is read on the event loop."""
    long = b" " * 70_000
    assert web.post(VALUE, content=long).status_code == 413
    packed = {"content-encoding": "gzip"}
    assert web.post(VALUE, content=gzip.compress(long), headers=packed).status_code == 413
    report = gzip.compress(b'{"project": "packed", "value": 1}')
    assert web.post(VALUE, content=report, headers=packed).status_code == 201


def test_a_flag_is_listed_and_classified(web: httpx.Client, db: Database) -> None:
    """The verdict is an entry with the name of who runs the service."""
    found = web.get("/v1/flags").json()
    assert [each["id"] for each in found["flags"]] == [FLAG.id]
    assert (found["flags"][0]["cost"], found["to_classify"]) == (31.0, 20)
    answer = web.post(f"/v1/flags/{FLAG.id}/defer")
    assert answer.json() == {"flag": FLAG.id, "classified": "defer", "to_classify": 19}
    booked = following.records(db, "flag")[-1]
    assert (booked.outcome, booked.user_id is not None) == ("defer", True)


@pytest.mark.parametrize("path", [f"/v1/flags/{FLAG.id}/never", "/v1/flags/0000000000/fine"])
def test_a_wrong_verdict_is_refused(web: httpx.Client, path: str) -> None:
    assert web.post(path).status_code == 400


def test_another_page_decides_nothing(web: httpx.Client) -> None:
    forged = {"origin": "https://evil.example"}
    assert web.post(f"/v1/flags/{FLAG.id}/fine", headers=forged).status_code == 403


def test_without_a_ledger_there_is_a_sentence() -> None:
    routes = Economy(lambda: None, Config, {}).routes()
    with service(pages=routes) as running, httpx.Client(base_url=running.url) as client:
        for answer in (client.get("/v1/flags"), client.post("/v1/flags/a/fine")):
            assert answer.status_code == 404
            assert "there is no ledger" in answer.text
