"""What both transports promise alike, against real servers on loopback."""

import socket

import pytest

from tests.servers import behaviours
from tests.servers.behaviours import MISBEHAVIOURS, ok, raw, redirect, routes
from tests.servers.loopback import Server
from tests.transport.http.conftest import Fetch
from tokentop.domain.readings import Failure
from tokentop.secret import Secret
from tokentop.transport.http.messages import Reply, Request

OUTCOMES = {
    "hanging": "timeout",
    "dripping": "timeout",
    "resetting": "reset",
    "reset_in_body": "reset",
    "500": "server-error",
    "401": "auth",
    "404": "not-found",
    "html": None,  # these three are answers; what they mean is for the parsers to say
    "truncated_json": None,
    "wrong_types": None,
    "cut_off": "reset",
    "100_mb": "too-large",
    "endless_headers": "too-large",
    "redirect_loop": "redirect",
    "redirect_away": "redirect",
    "garbage": "bad-data",
}
NEUTRAL = {"401", "404"}
SLOW = {"hanging", "dripping"}

RAW = {
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n",
        b"abcde",
    ),
    "http_1_0": (b"HTTP/1.0 200 OK\r\n\r\nabcde", b"abcde"),
    "interim": (
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n"
        b"Content-Length: 5\r\n\r\nabcde",
        b"abcde",
    ),
    "no_content": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "no_reason": (b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nabcde", b"abcde"),
    "more_than_announced": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcdefgh", b"abcde"),
    "same_length_twice": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
        b"abcde",
    ),
}
HOSTILE = {
    "negative_length": (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc", "bad-data"),
    "word_length": (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc", "bad-data"),
    "two_lengths": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "bad-data",
    ),
    "huge_length": (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nabc" % 10**18, "too-large"),
    "huge_chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffffffff\r\nabc",
        "bad-data",
    ),
    "word_chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\nabc\r\n",
        "bad-data",
    ),
    "negative_chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabcde\r\n",
        "bad-data",
    ),
    "cut_chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        "reset",
    ),
    "cut_head": (b"HTTP/1.1 200 OK\r\nContent-", "reset"),
    "other_coding": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        "bad-data",
    ),
    "compressed": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        "bad-data",
    ),
    "no_colon": (b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\nabc", "bad-data"),
    "101_headers": (
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"Content-Length: 0\r\n\r\n",
        "too-large",
    ),
    "one_long_header": (
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n",
        "too-large",
    ),
    "304": (b"HTTP/1.1 304 Not Modified\r\n\r\n", "http"),
    "302_to_nowhere": (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "http"),
    "nothing": (b"", "reset"),
}


def request(server: Server, path: str = "/x", *, timeout_s: float = 5.0, **more: object) -> Request:
    return Request(server.url + path, timeout_s=timeout_s)._replace(**more)  # type: ignore[arg-type]


def kind(outcome: Reply | Failure) -> str | None:
    return outcome.kind if isinstance(outcome, Failure) else None


def body(outcome: Reply | Failure) -> bytes:
    assert isinstance(outcome, Reply), outcome
    return outcome.body


def test_a_good_answer_arrives_whole(fetch: Fetch) -> None:
    """Status, body, content type, server and a latency; the question is a polite GET."""
    with Server(ok({"queued": 3})) as server:
        reply = fetch(request(server, "/llm/queue?deep=1"))
        assert isinstance(reply, Reply)
        assert (reply.status, reply.body) == (200, b'{"queued": 3}')
        assert (reply.content_type, reply.server) == ("application/json", "loopback")
        assert reply.latency_s > 0
        asked = server.asked[0]
        assert asked.path == "/llm/queue?deep=1"
        assert asked.headers["host"] == f"127.0.0.1:{server.port}"
        assert asked.headers["user-agent"].startswith("tokentop/")
        assert asked.headers["accept-encoding"] == "identity"
        assert "authorization" not in asked.headers


@pytest.mark.parametrize("name", sorted(MISBEHAVIOURS))
def test_every_misbehaviour_ends_as_a_value(fetch: Fetch, name: str) -> None:
    """Whatever a service does, the outcome is a Reply or the Failure of that kind, in one line."""
    with Server(MISBEHAVIOURS[name]) as server:
        outcome = fetch(request(server, timeout_s=0.2 if name in SLOW else 5.0))
    assert kind(outcome) == OUTCOMES[name]
    if isinstance(outcome, Failure):
        assert outcome.neutral is (name in NEUTRAL)
        assert outcome.text.isprintable()


@pytest.mark.parametrize("name", sorted(RAW))
def test_every_framing_of_http_is_read(fetch: Fetch, name: str) -> None:
    """Chunks, trailers, HTTP/1.0, interim answers: the body comes out the same."""
    data, expected = RAW[name]
    with Server(raw(data)) as server:
        assert body(fetch(request(server))) == expected


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_framing_is_refused(fetch: Fetch, name: str) -> None:
    """Sizes and headers that lie end as a Failure at once, not as memory or patience spent."""
    data, expected = HOSTILE[name]
    with Server(raw(data)) as server:
        assert kind(fetch(request(server))) == expected


def test_the_body_limit_is_exact(fetch: Fetch) -> None:
    """A body of max_bytes is an answer, one byte more is too large, however it is framed."""
    for head in (b"HTTP/1.1 200 OK\r\n\r\n", behaviours.head(content_length=11)):
        with Server(raw(head + b"x" * 11)) as server:
            assert len(body(fetch(request(server, max_bytes=11)))) == 11
            assert kind(fetch(request(server, max_bytes=10))) == "too-large"


def test_nobody_listening_is_refused(fetch: Fetch) -> None:
    """A closed port says so, by name."""
    with Server(ok()) as server:
        asked = request(server)
    outcome = fetch(asked)
    assert kind(outcome) == "refused"
    assert str(server.port) in str(outcome)


def test_a_name_that_cannot_be_is_unreachable(fetch: Fetch) -> None:
    """A host name no resolver takes is a Failure like any other."""
    assert kind(fetch(Request("http://a..b/"))) == "no-such-host"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_localhost_is_found_on_either_family(fetch: Fetch, host: str) -> None:
    """`localhost` reaches a service that listens on IPv4 or on IPv6 only."""
    known = {info[4][0] for info in socket.getaddrinfo("localhost", None)}
    if host not in known:
        pytest.skip(f"localhost is not {host} on this machine")
    with Server(ok(1), host=host) as server:
        assert body(fetch(Request(f"http://localhost:{server.port}/"))) == b"1"
        assert server.asked[0].headers["host"] == f"localhost:{server.port}"


def test_ipv6_addresses_keep_their_brackets(fetch: Fetch) -> None:
    """A literal IPv6 URL is reached and named correctly in the Host header."""
    try:
        server = Server(ok(1), host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with server:
        assert body(fetch(request(server))) == b"1"
        assert server.asked[0].headers["host"] == f"[::1]:{server.port}"


@pytest.mark.parametrize("location", ["/y", "y", "?z=1", "//{netloc}/y", "http://{netloc}/y#part"])
def test_a_redirect_within_the_origin_is_followed_with_the_token(
    fetch: Fetch, location: str
) -> None:
    """Absolute, relative and scheme-relative Locations lead on, and the token goes along."""
    table = {"/y": ok(1), "/x?z=1": ok(1)}
    with Server(routes(table)) as server:
        table["/x"] = redirect(location.format(netloc=server.url.removeprefix("http://")))
        assert body(fetch(request(server, token=Secret("sesame")))) == b"1"
        assert [a.headers["authorization"] for a in server.asked] == ["Bearer sesame"] * 2


def test_three_hops_and_no_more(fetch: Fetch) -> None:
    """Three redirects are followed, the fourth is a Failure and is not asked."""
    table = {f"/{n}": redirect(f"/{n + 1}") for n in range(10)}
    with Server(routes({**table, "/3": ok(1)})) as server:
        assert body(fetch(request(server, "/0"))) == b"1"
    with Server(routes(table)) as server:
        assert kind(fetch(request(server, "/0"))) == "redirect"
        assert len(server.asked) == 4


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_token_never_leaves_its_origin(fetch: Fetch, code: int) -> None:
    """A redirect to another port is another origin: nobody asks there, and the text names it."""
    with Server(ok(1)) as other, Server(redirect(f"{other.url}/x?key=hunter2", code)) as server:
        outcome = fetch(request(server, token=Secret("sesame")))
        assert kind(outcome) == "redirect"
        assert other.url in str(outcome)
        assert "hunter2" not in str(outcome)
        assert other.connections == 0


def test_a_wrong_token_and_a_missing_one_are_told_apart(fetch: Fetch) -> None:
    """401 names token_env and token_file; with the right token the answer comes."""
    with Server(behaviours.guarded("sesame", ok(1))) as server:
        missing = fetch(request(server))
        wrong = fetch(request(server, token=Secret("guess")))
        assert body(fetch(request(server, token=Secret("sesame")))) == b"1"
    assert (kind(missing), kind(wrong)) == ("auth", "token-refused")
    assert "token_env" in str(missing)
    assert str(missing) != str(wrong)


def test_user_info_in_the_url_becomes_basic_auth(fetch: Fetch) -> None:
    """A password in the address is sent the way a browser sends it, unless there is a token."""
    with Server(ok(1)) as server:
        url = server.url.replace("//", "//me:p%40ss@")
        fetch(Request(url))
        fetch(Request(url, token=Secret("sesame")))
        sent = [asked.headers["authorization"] for asked in server.asked]
    assert sent == ["Basic bWU6cEBzcw==", "Bearer sesame"]


@pytest.mark.parametrize("token", ["a\r\nX-Evil: 1", "a\nb", "", "ü", "a b", "a\0b"])
def test_a_token_cannot_inject_headers(fetch: Fetch, token: str) -> None:
    """A token that no header can carry is refused before anything is connected to."""
    with Server(ok(1)) as server:
        outcome = fetch(request(server, token=Secret(token)))
        assert kind(outcome) == "auth"
        assert server.connections == 0


@pytest.mark.parametrize("path", ["/x\r\nX-Evil: 1", "/x y", "/x\ty", "/\0", "/a\\b"])
def test_an_address_cannot_inject_headers(fetch: Fetch, path: str) -> None:
    """Control characters and blanks in a URL are refused before anything is connected to."""
    with Server(ok(1)) as server:
        assert kind(fetch(request(server, path))) == "unreachable"
        assert server.connections == 0


@pytest.mark.parametrize("name", sorted(MISBEHAVIOURS))
def test_no_failure_tells_a_secret(fetch: Fetch, name: str) -> None:
    """Neither user info, nor the query, nor the token is in what is printed about a request."""
    with Server(MISBEHAVIOURS[name]) as server:
        url = server.url.replace("//", "//admin:hunter2@") + "/x?key=hunter2"
        asked = Request(url, timeout_s=0.1, token=Secret("hunter2"))
        outcome = fetch(asked)
    assert "hunter2" not in f"{asked!r} {asked} {outcome!r}"
    assert "admin" not in f"{asked!r} {outcome!r}"


ECHOED = "sk-test/0123456789"


@pytest.mark.parametrize("body", [f'{{"id":"{ECHOED}"}}', '{"id":"sk-test\\/0123456789"}'])
def test_a_token_that_is_echoed_is_not_kept(fetch: Fetch, body: str) -> None:
    """Neither as it was sent nor as JSON may write it; the rest of the answer stands."""
    answer = raw(
        b"HTTP/1.1 200 OK\r\nServer: " + ECHOED.encode() + b"\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body) + body.encode()
    )
    with Server(answer) as server:
        reply = fetch(Request(server.url, token=Secret(ECHOED)))
    assert isinstance(reply, Reply)
    assert reply.body == b'{"id":"[secret]"}'
    assert reply.server == "[secret]"


def test_a_password_that_is_echoed_is_not_kept(fetch: Fetch) -> None:
    """That of the address."""
    with Server(ok("hunter22 it was")) as server:
        url = server.url.replace("://", "://me:hunter22@")
        reply = fetch(Request(url))
    assert isinstance(reply, Reply)
    assert b"hunter22" not in reply.body
