"""Who may ask, and how much: what is refused before any route is reached."""

import socket
import threading
import time

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.servers.service import client, service
from tokentop.config.schema import Config
from tokentop.runtime.serve import connection
from tokentop.runtime.serve.authorize import Authority
from tokentop.runtime.serve.body import Receiving
from tokentop.runtime.serve.guard import MAX_ASKED, MAX_HEADERS, Rules
from tokentop.secret import Secret

API = "/api/system/token-economy"
TOKEN = "0123456789abcdef-secret"
PATHS = (API, f"{API}/stream", "/metrics", "/openapi.json", "/schema.json", "/nothing")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8765", 200),
        ("[::1]:8765", 200),
        ("192.168.1.7", 200),
        ("localhost", 200),
        ("LocalHost:8765", 200),
        ("localhost.", 200),
        ("gpu-box:8765", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("evil.example@localhost", 421),
        ("localhost/evil.example", 421),
        ("evil.example#localhost", 421),
        ("", 421),
    ],
)
def test_only_names_of_its_own_are_answered(host: str, status: int) -> None:
    """A page that lets its own name resolve to this address (DNS rebinding) reads nothing."""
    rules = Rules(frozenset({"localhost", "gpu-box"}))
    with service(rules=rules) as running:
        answer = httpx.get(running.url + API, headers={"host": host})
    assert answer.status_code == status
    assert ("schema" in answer.text) == (status == 200)


def test_a_token_opens_everything_but_the_health_check() -> None:
    """Without it, or with another, nothing is shown, not even which paths exist."""
    wrong = ("", "Bearer", "Bearer x", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer é")
    with service(rules=Rules(token=Secret(TOKEN))) as running:
        refused = [httpx.get(running.url + path) for path in PATHS]
        refused += [
            httpx.get(running.url + API, headers={"authorization": text.encode()}) for text in wrong
        ]
        right = {"authorization": f"Bearer {TOKEN}"}
        opened = [httpx.get(running.url + path, headers=right) for path in (API, "/metrics")]
        health = httpx.get(running.url + "/healthz")
    assert {answer.status_code for answer in refused} == {401}
    assert {answer.headers["www-authenticate"] for answer in refused} == {"Bearer"}
    assert {answer.text for answer in refused} == {"a bearer token is needed\n"}
    assert [answer.status_code for answer in opened] == [200, 200]
    assert health.status_code == 200


def test_no_page_of_another_origin_may_read_unless_it_is_named() -> None:
    """Without configuration there is no CORS header at all; with it, for that origin only."""
    page, other = {"origin": "https://dash.example"}, {"origin": "https://evil.example"}
    named = Rules(cors_origins=("https://dash.example",), token=Secret(TOKEN))
    with service() as plain:
        silent = httpx.get(plain.url + API, headers=page)
    with service(rules=named) as running:
        asked = {**page, "access-control-request-method": "GET"}
        before = httpx.options(running.url + API, headers=asked)
        right = httpx.get(running.url + API, headers={**page, "authorization": f"Bearer {TOKEN}"})
        wrong = httpx.get(running.url + API, headers={**other, "authorization": f"Bearer {TOKEN}"})
    assert not [name for name in silent.headers if name.startswith("access-control")]
    assert before.status_code == 204
    assert "authorization" in before.headers["access-control-allow-headers"]
    assert right.headers["access-control-allow-origin"] == "https://dash.example"
    assert "origin" in right.headers["vary"]
    assert not [name for name in wrong.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "path", ["/v1/projects/alpha/stop", "/v1/value", "/v1/flags/f/halt", "/v1/logs", "/any"]
)
def test_a_page_of_another_origin_changes_nothing(path: str) -> None:
    """Browsers let any page send a POST to an address of this machine, unless a guard looks."""
    foreign, own = "https://evil.example", "http://127.0.0.1"
    routes = Authority(lambda: None, Config).routes()
    with service(pages=routes) as running:
        refused = httpx.post(running.url + path, headers={"origin": foreign})
        question = httpx.post(f"{running.url}/v1/authorize", headers={"origin": foreign})
        same = httpx.post(running.url + path, headers={"origin": f"{own}:{running.port}"})
    assert refused.status_code == 403
    assert "another page" in refused.text
    assert question.status_code == 404  # no ledger: a gateway's question has its client's headers
    assert same.status_code in (404, 405)


@pytest.mark.parametrize(
    "headers", [("content-length: 5",), ("content-length: 99999999999",),
                ("transfer-encoding: chunked",)],
)  # fmt: skip
def test_bodies_are_refused_and_not_read(headers: tuple[str, ...]) -> None:
    with service() as running, client(running.port) as one:
        one.get(API, *headers)
        assert b" 413 " in one.end()


def test_a_client_still_sends_its_body_when_it_is_refused() -> None:
    """Closed at once, the connection would be reset, and the client would never see why."""
    with service() as running, client(running.port) as one:
        one.get(API, "content-length: 10")
        assert not one.answered(0.1)
        one.send(b"1234567890")
        assert b" 413 " in one.end()


@pytest.mark.parametrize("path", ["/" + "x" * 600, API + "?" + "x" * 600])
def test_addresses_are_bounded(path: str) -> None:
    with service() as running:
        assert httpx.get(running.url + path).status_code == 414


def test_headers_are_bounded() -> None:
    """Too many are refused; those that never end are read no further than the limit."""
    with service() as running, client(running.port) as whole, client(running.port) as endless:
        whole.get(API, "x: " + "y" * MAX_HEADERS, "connection: close")
        assert b" 431 " in whole.end()
        endless.send(b"GET / HTTP/1.1\r\nx: " + b"y" * MAX_ASKED)
        assert b" 400 " in endless.end()


def test_chunks_of_one_byte_hold_up_no_other_client() -> None:
    """100,000 of them take half a second to be read; others get their turn in between.

    The other one is a bare socket: a client library waits for the interpreter's lock twenty times.
    """
    head = b"POST /v1/litellm HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
    flood = b"transfer-encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 100_000 + b"0\r\n\r\n"

    async def read(request: Request) -> Response:
        return Response(b"%d" % len(await request.body()))

    rules = Rules(receiving=frozenset({"/v1/litellm"}))
    with (
        service(rules=rules, pages=[Receiving("/v1/litellm", read)]) as running,
        client(running.port) as one,
        socket.create_connection(("127.0.0.1", running.port)) as other,
    ):
        one.send(head + flood)
        reading = threading.Thread(target=one.end)
        reading.start()
        answered = 0
        while reading.is_alive():
            other.sendall(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            answered += b" 200 " in other.recv(4096)
    assert one.received.endswith(b"100000")
    assert answered >= 5


def test_what_is_no_http_is_refused() -> None:
    with service() as running, client(running.port) as one:
        one.send(b"\x16\x03\x01 what?\r\n\r\n")
        assert b" 400 " in one.end()


@pytest.mark.parametrize("data", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: localhost\r\n"])
def test_a_request_must_arrive_in_time(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that sends nothing, or a request bit by bit, is closed."""
    monkeypatch.setattr(connection, "HEADERS_S", 0.2)
    with service() as running, client(running.port) as one:
        one.send(data)
        began = time.monotonic()
        assert one.end() == b""
        assert time.monotonic() - began < 5


def test_a_second_request_must_arrive_in_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEADERS_S", 0.2)
    with service() as running, client(running.port) as one:
        one.get(API)
        one.until(b'"cost"')
        one.send(b"GET / HT")
        assert one.end().count(b"HTTP/1.1") == 1


def test_a_client_that_never_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection ends and its memory is free, though it stays connected itself."""
    monkeypatch.setattr(connection, "STALL_S", 0.2)
    with service() as running, client(running.port, buffer=4096) as one:
        one.get(f"{API}/stream")
        one.until(b"retry")
        for number in range(2000):
            running.publish(running.hub.latest.snapshot._replace(host=f"{number}"))
            if not running.call(lambda: running.hub.clients):
                break
        while running.call(lambda: len(running.server.server_state.connections)):
            pass


def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One too many gets 503 at once and is closed; when another leaves there is room again."""
    monkeypatch.setattr(connection.Connection, "limit", 2)
    with service() as running:
        with client(running.port) as a, client(running.port) as b:
            for one in (a, b):
                one.get(API)
                one.until(b'"cost"')
            with client(running.port) as third:
                assert b" 503 " in third.end()
        while running.call(lambda: len(running.server.server_state.connections)):
            pass
        assert httpx.get(running.url + API).status_code == 200
