"""Private CAs, and certificates that are wrong, through both transports."""

import os
from pathlib import Path

import pytest

from tests.servers.behaviours import ok
from tests.servers.certificates import private_ca
from tests.servers.loopback import Server
from tests.transport.http.conftest import Fetch
from tokentop.domain.readings import Failure
from tokentop.transport.http.messages import Reply, Request


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return private_ca().bundle(tmp_path)


def failed(outcome: Reply | Failure) -> Failure:
    assert isinstance(outcome, Failure)
    return outcome


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_private_ca_is_trusted_where_it_is_named(fetch: Fetch, bundle: str, host: str) -> None:
    """With ca_bundle the exchange works, by address and by name."""
    with Server(ok(1), tls=private_ca().good) as server:
        reply = fetch(Request(f"https://{host}:{server.port}/", ca_bundle=bundle))
    assert isinstance(reply, Reply)
    assert reply.body == b"1"


@pytest.mark.parametrize(
    ("which", "words"),
    [("expired", "has expired"), ("wrong_host", "certificate"), ("good", "name that CA")],
)
def test_each_wrong_certificate_has_its_own_mend(
    fetch: Fetch, bundle: str, which: str, words: str
) -> None:
    """Expired, for another host, and of an unknown CA are three different sentences."""
    with Server(ok(1), tls=getattr(private_ca(), which)) as server:
        ca_bundle = None if which == "good" else bundle
        failure = failed(fetch(Request(server.url, ca_bundle=ca_bundle)))
        assert failure.kind == ("tls-expired" if which == "expired" else "tls")
        assert words in failure.text
        assert server.asked == []


@pytest.mark.parametrize("which", ["expired", "wrong_host", "good"])
def test_verification_can_be_switched_off(fetch: Fetch, which: str) -> None:
    """verify=False takes any certificate, as AITHER_TLS_VERIFY=false asks for."""
    with Server(ok(1), tls=getattr(private_ca(), which)) as server:
        assert isinstance(fetch(Request(server.url, verify=False)), Reply)


def test_plain_http_behind_https_is_said(fetch: Fetch) -> None:
    """An https:// address of a plain service says to use http://, and sends no token in clear."""
    with Server(ok(1)) as server:
        failure = failed(fetch(Request(server.url.replace("http:", "https:"))))
    assert failure.kind == "tls"
    assert "use http://" in failure.text
    assert server.asked == []


def test_tls_behind_plain_http_is_said(fetch: Fetch) -> None:
    """An http:// address of a TLS service says to use https://."""
    with Server(ok(1), tls=private_ca().good) as server:
        failure = failed(fetch(Request(server.url.replace("https:", "http:"))))
    assert "use https://" in failure.text


@pytest.mark.parametrize("content", [None, "no certificate in here"])
def test_an_unusable_bundle_is_a_failure_that_names_it(
    fetch: Fetch, tmp_path: Path, content: str | None
) -> None:
    """A missing or broken ca_bundle is said as such; the connection is not made without it."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with Server(ok(1), tls=private_ca().good) as server:
        failure = failed(fetch(Request(server.url, ca_bundle=str(path))))
        assert failure.kind == "tls"
        assert "ca_bundle" in failure.text
        assert server.connections == 0


def test_a_replaced_bundle_is_read_anew(fetch: Fetch, tmp_path: Path) -> None:
    """A CA that is renewed while the monitor runs needs no restart."""
    path = tmp_path / "private-ca.pem"
    path.write_text("not yet")
    with Server(ok(1), tls=private_ca().good) as server:
        asked = Request(server.url, ca_bundle=str(path))
        assert failed(fetch(asked)).kind == "tls"
        private_ca().bundle(tmp_path)
        assert isinstance(fetch(asked), Reply)


def test_a_bundle_replaced_by_a_pipe_is_refused_at_once(fetch: Fetch, tmp_path: Path) -> None:
    """OpenSSL would wait for somebody to write to it, and the poll with it."""
    os.mkfifo(tmp_path / "ca.pem")
    with Server(ok(1), tls=private_ca().good) as server:
        url = f"https://127.0.0.1:{server.port}/"
        failure = failed(fetch(Request(url, ca_bundle=str(tmp_path / "ca.pem"))))
    assert "no regular file" in failure.text
