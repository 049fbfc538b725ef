"""The ledger over HTTP: the same pages as from the file, under the same token."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.routing import Route

from tests.domain.ledger.examples import NOW_US, event
from tests.servers.service import service
from tokentop.config.schema import Config, HostConfig, LedgerConfig
from tokentop.domain.ledger.listing import Page, Question
from tokentop.runtime.ledger.entries import read
from tokentop.runtime.ledger.place import opened, writer
from tokentop.runtime.live.feed import HostFeed
from tokentop.runtime.live.remote import RemoteSession
from tokentop.runtime.serve.entries import entries_route
from tokentop.runtime.serve.guard import Rules
from tokentop.secret import Secret
from tokentop.transport.http.network_thread import NetworkThread
from tokentop.transport.ledger.reader import erase

TOKEN = Secret("0123456789abcdef0123456789abcdef")
PATH = "/api/system/ledger/entries"
HEADERS = {"authorization": f"Bearer {TOKEN.reveal()}"}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> LedgerConfig:
    """Seven requests of ada's and li's, one taken back, one of somebody who was erased."""
    config = LedgerConfig(path=str(tmp_path_factory.mktemp("ledger") / "ledger.sqlite3"))
    db = opened(config, {}, create=True)
    book = writer(db, config)
    book.append([event(n, user="li" if n % 2 else "ada", task="t%_1") for n in range(6)], NOW_US)
    book.append([event(6, user="zoe", model=None, micro_usd=None, generated=None)], NOW_US)
    book.reverse("test:0", NOW_US)
    erase(db, "zoe")
    db.close()
    return config


@pytest.fixture(scope="module")
def url(config: LedgerConfig) -> Iterator[str]:
    with service(rules=Rules(token=TOKEN), pages=[_route(config)]) as running:
        yield running.url


def _route(config: LedgerConfig) -> Route:
    async def page(question: Question) -> Page:
        return await asyncio.to_thread(read, config, {}, question)

    return entries_route(page)


def names(config: LedgerConfig, wanted: str) -> list[str]:
    """The identities of what a filter keeps."""
    return [row.entry.identity for row in read(config, {}, Question(wanted)).rows]


async def over_http(url: str, question: Question) -> Page:
    """What a connected screen is shown."""
    session = RemoteSession(Config(), HostFeed(HostConfig("box", url, TOKEN), Config()), id)
    following = asyncio.ensure_future(session._feed.run(NetworkThread(), int))
    await asyncio.sleep(0)  # it begins
    try:
        return await session.ledger.page(question)
    finally:
        following.cancel()


@pytest.mark.parametrize(
    "question",
    [
        Question(),
        Question(limit=3),
        Question(before="test:4"),
        Question("LI gpt"),
        Question('user:li outcome:"success"'),
        Question("nothing like it"),
    ],
)
async def test_a_connected_screen_sees_what_the_host_sees(
    config: LedgerConfig, url: str, question: Question
) -> None:
    here = await asyncio.to_thread(read, config, {}, question)
    assert await over_http(url, question) == here


def test_the_newest_are_first_and_pages_follow_one_another(config: LedgerConfig) -> None:
    """By their own time; what was taken back stands beside what it takes back."""
    whole = names(config, "")
    assert whole[:2] == ["test:6", "test:5"]
    assert set(whole[-2:]) == {"test:0", "reversal:test:0"}
    first = read(config, {}, Question(limit=5))
    rest = read(config, {}, Question(before=first.rows[-1].entry.identity))
    assert [r.entry.identity for r in (*first.rows, *rest.rows)] == whole
    assert (first.total, rest.total) == (8, None)
    assert first.more


def test_words_are_looked_for_and_fields_are_exact(config: LedgerConfig) -> None:
    """Whatever the case; signs that mean something to SQL mean nothing here."""
    assert names(config, "LI") == names(config, "user:li") == ["test:5", "test:3", "test:1"]
    assert names(config, "user:l") == []
    assert len(names(config, "t%_1")) == 7
    assert names(config, "t__1") == names(config, "user:x'--") == []
    assert len(names(config, "kind:reversal")) == 1
    assert names(config, "zoe") == []


def test_an_erased_person_has_no_name_and_an_unknown_value_no_inputs(config: LedgerConfig) -> None:
    newest = read(config, {}, Question(limit=1)).rows[0]
    assert newest.user is not None
    assert newest.user.startswith("erased ")
    assert newest.valuation == ()
    priced = read(config, {}, Question(limit=2)).rows[1]
    assert priced.valuation[-1].label == "credits"


def test_the_token_and_the_limits_hold(url: str) -> None:
    """401 without the token; a limit that is none is 400; nothing is kept by caches."""
    assert httpx.get(url + PATH).status_code == 401
    for limit in ("0", "1001", "x", "-1", "9" * 40):
        answer = httpx.get(url + PATH, params={"limit": limit}, headers=HEADERS)
        assert answer.status_code == 400, limit
    long = httpx.get(url + PATH, params={"filter": "a " * 9}, headers=HEADERS)
    assert (long.status_code, long.text) == (400, "a filter has at most 8 words\n")
    answer = httpx.get(url + PATH, params={"limit": "2"}, headers=HEADERS)
    assert answer.headers["cache-control"] == "no-store"
    row = answer.json()["entries"][1]
    assert (row["user"], row["project"], row["prompt"], row["generated"]) == (
        "li",
        "alpha",
        100,
        50,
    )
    assert row["micro_usd"] == 7
    assert answer.json()["total"] == 8


async def test_a_ledger_that_is_not_there_is_a_503(tmp_path: Path) -> None:
    """And a sentence on the connected screen."""
    route = _route(LedgerConfig(path=str(tmp_path / "none")))
    with service(rules=Rules(token=TOKEN), pages=[route]) as running:
        answer = await asyncio.to_thread(httpx.get, running.url + PATH, headers=HEADERS)
        shown = await over_http(running.url, Question())
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "there is no ledger" in answer.text
    assert "503" in (shown.problem or "")
