"""The object, its version and its encodings, as a client sees them."""

import gzip
import json

import httpx
import pytest

from tests import examples
from tests.servers.service import client, service
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_json import dumps
from tokentop.runtime.serve.hub import Formats

API = "/api/system/token-economy"


def test_the_object_is_that_of_json() -> None:
    """GET answers with what `tokentop --json` prints of the same snapshot."""
    shown = examples.high()
    with service(shown) as running:
        answer = httpx.get(running.url + API)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == json.loads(dumps(shown))
    assert answer.json()["schema"] == "tokentop/1"


def test_a_version_that_the_client_has_is_not_sent_again() -> None:
    """304 without a body for the same snapshot; 200 with another ETag for the next one."""
    with service(examples.idle()) as running, httpx.Client(base_url=running.url) as web:
        first = web.get(API)
        tag = first.headers["etag"]
        same = [
            web.get(API, headers={"if-none-match": value}) for value in (tag, f'"x", {tag}', "*")
        ]
        running.publish(examples.high())
        later = web.get(API, headers={"if-none-match": tag})
    assert [one.status_code for one in same] == [304, 304, 304]
    assert [one.content for one in same] == [b"", b"", b""]
    assert {one.headers["etag"] for one in same} == {tag}
    assert later.status_code == 200
    assert later.headers["etag"] != tag


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("identity", False),
        ("", False),
    ],
)
def test_gzip_where_it_is_asked_for(accepted: str, compressed: bool) -> None:
    """The same object either way; a cache is warned by Vary."""
    shown = examples.saturated()
    with service(shown) as running, client(running.port) as plain:
        plain.get(API, f"accept-encoding: {accepted}", "connection: close")
        head, _, body = plain.end().partition(b"\r\n\r\n")
    assert (b"content-encoding: gzip" in head) == compressed
    assert b"vary: accept-encoding" in head
    text = gzip.decompress(body) if compressed else body
    assert json.loads(text) == json.loads(dumps(shown))
    assert not compressed or len(body) < len(text) / 2


def test_head_has_the_same_headers_and_no_body() -> None:
    with service(examples.idle()) as running:
        got, head = httpx.get(running.url + API), httpx.head(running.url + API)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["etag"] == got.headers["etag"]


def test_head_of_the_stream_ends() -> None:
    with service() as running:
        head = httpx.head(f"{running.url}{API}/stream")
    assert head.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed(method: str) -> None:
    with service() as running:
        answer = httpx.request(method, running.url + API)
    assert answer.status_code == 405


def test_what_is_not_there() -> None:
    with service() as running:
        assert httpx.get(running.url + "/etc/passwd").status_code == 404


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/html", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text; version=1.0.0",
         "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        ("application/openmetrics-text;q=0.3,text/plain;q=0.9",
         "text/plain; version=0.0.4; charset=utf-8"),
    ],
)  # fmt: skip
def test_metrics_come_in_the_format_that_is_preferred(accept: str, kind: str) -> None:
    """Prometheus' own Accept header gets OpenMetrics, and everybody else plain text."""
    with service(examples.idle()) as running:
        answer = httpx.get(running.url + "/metrics", headers={"accept": accept})
    assert answer.headers["content-type"] == kind
    assert answer.text.endswith("# EOF\n") == kind.startswith("application")


def test_health_follows_the_collector() -> None:
    """Fine while snapshots are made; 503 after three intervals, and no less than 15 s, without."""
    with service() as running:
        fresh = httpx.get(running.url + "/healthz")
        running.now = 14.0
        quiet = httpx.get(running.url + "/healthz")
        running.now = 16.0
        stalled = httpx.get(running.url + "/healthz")
    assert (fresh.status_code, fresh.json()) == (200, {"status": "ok"})
    assert quiet.status_code == 200
    assert (stalled.status_code, stalled.json()) == (503, {"status": "stalled", "age_s": 16.0})


def test_a_fault_costs_one_answer_and_shows_no_traceback() -> None:
    """The client gets three words, the log the kind and place."""

    def broken(_: Snapshot) -> str:
        raise KeyError("a secret value")

    with service(formats=Formats(dumps, broken, broken)) as running:
        answer = httpx.get(running.url + "/metrics")
        after = httpx.get(running.url + API)
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert after.status_code == 200
    (fault,) = running.faults
    assert fault.startswith("unexpected KeyError in test_api.py:")
    assert "secret" not in fault
