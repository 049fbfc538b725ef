"""Whatever a server sends, no text of the snapshot is more than a terminal may be given.

Every text of captured answers (labels, names, versions, keys) is replaced by a hostile one, read
through the whole way from bytes to JSON, and every text of the snapshot is looked at.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collect.pending import pending
from tests.payloads import ENGINES, answers, states
from tests.polls import driven
from tests.servers import hostile
from tests.servers.aither_answers import ANSWERS
from tokentop.collect.collector import Collector
from tokentop.config.schema import (
    Config,
    EngineConfig,
    OffersConfig,
    PrometheusConfig,
    ServiceConfig,
)
from tokentop.domain.engines.readings import EngineKind
from tokentop.domain.readings import Failure
from tokentop.domain.snapshot_json import dumps
from tokentop.secret import Secret
from tokentop.sources.aither.endpoints import ENDPOINTS, SERVICES
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.run_protocol import steps

PAYLOADS = Path(__file__).parents[1] / "payloads"
PATHS = ("/metrics", "/version", "/v1/models", "/slots", "/props", "/api/ps", "/api/version",
         "/v1/loads", "/get_server_info", "/info", "/v2", "/v2/models/stats",
         "/v2/repository/index", "/health")  # fmt: skip
LONGEST = 512  # a sentence of ours that quotes a name
BAD = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

ESCAPES = ("\x1b]0;owned\x07", "\x1b[2J", "\x9b31m", "\u202e", "\u200b", "\u2066", "\ufeff", "\r",
           "\n", "\x00", "\u0300" * 9, "x" * 5000, "s3://KEY:SECRET@b/", "\U000e0041")  # fmt: skip
PARTS = st.sampled_from((*ESCAPES, "Qwen", "/", "-", ":8000"))
TEXTS = st.lists(PARTS, min_size=1, max_size=4).map("".join)


def replaced(value: object, text: str) -> object:
    """The same document with `text` added to every text in it."""
    if isinstance(value, dict):
        return {name: replaced(each, text) for name, each in value.items()}
    if isinstance(value, list):
        return [replaced(each, text) for each in value]
    return value + text if isinstance(value, str) else value


def hostile_body(body: bytes, text: str) -> bytes:
    """An answer with `text` in every JSON text, or in every label of a metrics page."""
    try:
        return json.dumps(replaced(json.loads(body), text)).encode()
    except ValueError:
        label = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        page = body.decode("utf-8", "replace")
        # Not the bounds of histograms: they are numbers.
        return re.sub(r'(?<!\ble)="([^"\n]*)"', lambda m: f'="{m[1]}{label}"', page).encode(
            "utf-8", "replace"
        )


def texts(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield f"{place}.(name)", name
            yield from texts(each, f"{place}.{name}")
    elif isinstance(value, list):
        assert len(value) <= 512, place
        for each in value:
            yield from texts(each, place)
    elif isinstance(value, str):
        yield place, value


def check(subject: Collector) -> None:
    document = dumps(subject.snapshot(1.0, 1.8e9))
    for place, text in texts(json.loads(document)):
        assert len(text) <= LONGEST, place
        assert not {unicodedata.category(char) for char in text} & BAD, (place, text)
        assert "SECRET" not in text, (place, text)


@settings(max_examples=8)
@given(TEXTS)
@pytest.mark.parametrize("kind", ENGINES)
def test_engines(kind: EngineKind, text: str) -> None:
    """Every captured state of every engine."""
    for state in states(kind):
        pages = {p: hostile_body(b, text) for p, b in answers(kind, state, PATHS).items()}
        engine = EngineConfig(None, "http://127.0.0.1:1", kind, None, None)
        subject = Collector(Config(engines=(engine,)), "box", False)
        polled(subject, pages)
        check(subject)


@settings(max_examples=15)
@given(TEXTS)
def test_services(text: str) -> None:
    """The seven services' answers."""
    services = tuple(ServiceConfig(name, f"http://{name}") for name in SERVICES)
    subject = Collector(Config(services=services), "box", False)
    for row in ENDPOINTS:
        body = json.dumps(replaced(ANSWERS[row.service].get(row.path, {}), text)).encode()
        subject.record(row.key, Reply(200, body), 0.5)
    check(subject)


@settings(max_examples=15)
@given(TEXTS)
def test_clouds(text: str) -> None:
    """What the clouds list, as they document it."""
    clouds = (one._replace(token=Secret("k")) for one in OffersConfig())
    subject = Collector(Config(offers=OffersConfig(*clouds)), "box", False)
    for source in subject.sources:
        listed = json.loads((PAYLOADS / "offers" / f"{source.key}.json").read_text())
        document = replaced(listed, text)
        subject.record(source.key, Reply(200, json.dumps(document).encode()), 0.5)
    assert subject.snapshot(1.0, 1.8e9).cloud.instances
    check(subject)


@settings(max_examples=15, deadline=None)
@given(TEXTS)
def test_a_fleet(text: str) -> None:
    """Labels of a Prometheus server's vectors, and its warnings."""
    body = json.loads(hostile.vector(2 * 1024))
    body["warnings"] = ["a store did not answer" + text]
    for row in body["data"]["result"]:
        row["metric"]["instance"] += text
        row["metric"]["model_name"] = text
    url = "http://127.0.0.1:1"
    subject = Collector(
        Config(prometheus=PrometheusConfig(url, None, None, None, True)), "b", False
    )
    polled(subject, {"/api/v1/query": json.dumps(body).encode()})
    check(subject)


def polled(subject: Collector, pages: dict[str, bytes]) -> None:
    registry = subject.engines()
    for due in pending(registry, 0.5):

        def fetch(requests: "list[Request]") -> list[Reply | Failure]:
            found = (pages.get("/" + r.url.split("/", 3)[3].partition("?")[0]) for r in requests)
            missing = Failure("not-found", "no such path", True, 404)
            return [missing if body is None else Reply(200, body) for body in found]

        registry.record(due.id, driven(steps(due.protocol, due.request), fetch), 0.5, 0.01)
