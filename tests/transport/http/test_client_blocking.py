"""The one-shot transport: hostile bytes, one deadline for all, and nothing heavy imported."""

import socket
import subprocess
import sys
import threading

import h11
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.behaviours import gated, hanging, ok
from tests.servers.loopback import Server
from tests.servers.stack import Stack
from tokentop.domain.readings import Failure
from tokentop.transport.http.client_blocking import fetch, fetch_all
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.resolver import Found


def answered_with(data: bytes, **limits: int) -> Reply | Failure:
    """The outcome where the peer sends exactly `data` and ends."""
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        return fetch(Request("http://demo.test/", **limits), dial=lambda _r, _t: ours)  # type: ignore[arg-type]


@settings(max_examples=80)
@given(st.binary(max_size=2000))
def test_any_bytes_end_as_a_value(data: bytes) -> None:
    """Garbage for an answer never raises and never is a Reply without a status line."""
    outcome = answered_with(data)
    assert isinstance(outcome, Failure) or data.startswith(b"HTTP/1.")


@settings(max_examples=80)
@given(
    st.sampled_from(("Content-Length", "Transfer-Encoding", "Location", "Content-Encoding")),
    st.text(st.characters(max_codepoint=255), max_size=40),
    st.binary(max_size=300),
)
def test_any_framing_header_ends_as_a_value(name: str, value: str, body: bytes) -> None:
    """Whatever the framing headers say, the outcome is a value within the limits."""
    head = f"HTTP/1.1 200 OK\r\n{name}: {value}\r\n\r\n".encode("latin-1")
    outcome = answered_with(head + body, max_bytes=200)
    assert isinstance(outcome, Failure) or len(outcome.body) <= 200


@given(st.lists(st.binary(max_size=200), max_size=20), st.booleans())
def test_chunked_bodies_come_out_as_h11_framed_them(parts: list[bytes], known: bool) -> None:
    """What another HTTP implementation writes, chunked or with a length, is read back whole."""
    body = b"".join(parts)
    framing = ("Content-Length", str(len(body))) if known else ("Transfer-Encoding", "chunked")
    peer = h11.Connection(h11.SERVER)
    peer.receive_data(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    peer.next_event()
    data = peer.send(h11.Response(status_code=200, headers=[framing])) or b""
    data += b"".join(peer.send(h11.Data(data=part)) or b"" for part in parts)
    data += peer.send(h11.EndOfMessage()) or b""
    outcome = answered_with(data)
    assert isinstance(outcome, Reply)
    assert outcome.body == body


def test_answers_come_in_the_order_of_the_questions() -> None:
    """fetch_all keeps places whatever finishes first: the first is let go only after the second."""
    gate = threading.Event()

    def open_the_gate(_: object) -> bool:
        gate.set()
        return False

    with Server(gated(gate, ok(1))) as late, Server(open_the_gate) as early:
        first, second = fetch_all([Request(late.url), Request(early.url)], 5.0)
    assert isinstance(first, Reply)
    assert isinstance(second, Failure)
    assert second.kind == "reset"


def test_a_hanging_service_costs_only_its_own_answer() -> None:
    """Six services answer; the hanging one is a timeout, whose time limit the whole ends with."""
    with Stack() as stack:
        stack.misbehave("mint", hanging())
        asked = [
            Request(stack.url(name) + path, timeout_s=0.2 if name == "mint" else 5.0)
            for name, rows in stack.answers.items()
            for path in rows
        ]
        outcomes = fetch_all(asked, 5.0)
    failed = [out.kind for out in outcomes if isinstance(out, Failure)]
    assert len(outcomes) == 15
    assert failed == ["timeout", "timeout"]


def test_what_cannot_be_interrupted_is_left_behind() -> None:
    """A lookup that hangs is a timeout at the deadline; the rest answer."""
    never = threading.Event()

    def look_up(host: str) -> Found:
        if host == "hang.test":
            never.wait()
        return [(socket.AF_INET, ("127.0.0.1", 0))]

    with Server(ok(1)) as server:
        requests = [Request(f"http://{name}.test:{server.port}/") for name in ("hang", "fine")]
        hung, fine = fetch_all(requests, 0.2, look_up=look_up)
    assert isinstance(hung, Failure)
    assert hung.kind == "timeout"
    assert isinstance(fine, Reply)
    never.set()


def test_the_next_address_is_tried_where_one_refuses() -> None:
    """A name with two addresses reaches the service that listens on the second only."""

    def look_up(_: str) -> Found:
        return [(socket.AF_INET, (host, 0)) for host in addresses]

    with Server(ok(1)) as server:
        asked = [Request(f"http://both.test:{server.port}/")]
        addresses = ["127.0.0.2", "127.0.0.1"]
        assert isinstance(fetch_all(asked, 5.0, look_up=look_up)[0], Reply)
        addresses = ["127.0.0.2"]
        (refused,) = fetch_all(asked, 5.0, look_up=look_up)
    assert isinstance(refused, Failure)
    assert refused.kind == "refused"


def test_the_one_line_path_stays_light() -> None:
    """A plain exchange imports none of the modules that the start-up budget cannot pay for."""
    forbidden = ["http.client", "asyncio", "ssl", "email", "urllib.parse", "logging"]
    forbidden += ["pathlib", "inspect", "dataclasses", "subprocess", "tomllib", "stringprep"]
    with Server(ok(1)) as server:
        program = (
            "import sys\n"
            "from tokentop.transport.http import client_blocking as once\n"
            f"assert once.fetch_all([once.Request({server.url!r})], 5.0)[0].body == b'1'\n"
            f"print(*[name for name in {forbidden} if name in sys.modules])"
        )
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path}\n{program}"],
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.strip() == ""
