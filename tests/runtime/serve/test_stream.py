"""Server-Sent Events as a client reads them from its socket."""

import json
import re

import pytest

from tests import examples
from tests.servers.service import Client, Service, client, service
from tokentop.domain.snapshot import Service as Row
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_json import dumps
from tokentop.runtime.serve import stream

STREAM = "/api/system/token-economy/stream"
EVENT = re.compile(rb"id: ([^\n]+)\ndata: ([^\n]+)\n\n")


def events(received: bytes) -> list[tuple[str, dict[str, object]]]:
    """(id, object) of each whole event; chunk sizes of the transfer are taken out first."""
    body = received.partition(b"\r\n\r\n")[2]
    text = re.sub(rb"(?:^|\r\n)[0-9a-f]+\r\n", b"", body)
    return [(found[1].decode(), json.loads(found[2])) for found in EVENT.finditer(text)]


def subscribed(running: Service, one: Client, *headers: str) -> None:
    """Ask for the stream and wait until it has begun."""
    one.get(STREAM, *headers)
    one.until(b"retry: ")


def test_the_whole_object_first_then_each_change() -> None:
    """One event for each changed snapshot; one that differs in its time alone is none."""
    shown = [examples.idle(), examples.high(), examples.saturated()]
    with service(shown[0]) as running, client(running.port) as one:
        subscribed(running, one)
        one.until(b"data: ")
        running.publish(shown[1])
        one.until(b"data: ", 2)
        assert not running.publish(shown[1]._replace(at="2031-01-01T00:00:00Z"))
        running.publish(shown[2])
        received = one.until(b"data: ", 3)
        while len(events(received)) < 3:
            received = one.until(b"\n\n", received.count(b"\n\n") + 1)
    assert b"content-type: text/event-stream" in received
    assert [value for _, value in events(received)] == [json.loads(dumps(s)) for s in shown]
    assert len({identity for identity, _ in events(received)}) == 3


def test_a_client_that_returns_goes_on_where_it_was() -> None:
    """With the newest id nothing is sent again; with an older one the newest object is, at once."""
    with service(examples.idle()) as running:
        first = running.hub.latest.id
        with client(running.port) as current:
            subscribed(running, current, f"last-event-id: {first}")
            running.call(running.hub.beat)
            assert b"data: " not in current.until(b": keep-alive")
            running.publish(examples.high())
            current.until(b"id: " + running.hub.latest.id.encode())
        with client(running.port) as behind:
            subscribed(running, behind, f"last-event-id: {first}")
            behind.until(b"id: " + running.hub.latest.id.encode())


def test_ids_of_an_earlier_run_are_not_mistaken() -> None:
    """After a restart the numbers begin again, but the ids do not repeat."""
    with service(examples.idle()) as before:
        old = before.hub.latest.id
    with service(examples.idle()) as after, client(after.port) as one:
        assert after.hub.latest.id != old
        subscribed(after, one, f"last-event-id: {old}")
        one.until(b"data: ")


def large(number: int) -> Snapshot:
    """A snapshot of some 100 kB that differs from all others."""
    return Snapshot(host=f"n{number}", services=tuple(Row("x" * 50, "vllm") for _ in range(600)))


def test_a_slow_client_gets_the_newest_event() -> None:
    """What it was too slow for is skipped, not queued: after 120 events of 100 kB it reads few."""
    with service(large(0)) as running, client(running.port, buffer=4096) as slow:
        subscribed(running, slow)
        with client(running.port) as quick:
            subscribed(running, quick)
            for number in range(1, 121):
                running.publish(large(number))
                if number % 20 == 0:  # the quick one keeps up with these
                    quick.until(b"id: " + running.hub.latest.id.encode() + b"\n")
        last = running.hub.latest.id.encode()
        received = slow.until(b"id: " + last + b"\n")
        while received.rpartition(b"data: ")[2].count(b"\n\n") < 1:
            received = slow.until(b"\n\n", received.count(b"\n\n") + 1)
    read = events(received)
    assert read[-1][1]["host"] == "n120"
    assert len(read) <= 5


def test_a_client_that_leaves_is_forgotten() -> None:
    """Its place is free again as soon as its connection has closed."""
    with service() as running:
        with client(running.port) as one:
            subscribed(running, one)
            one.until(b"data: ")
            assert running.call(lambda: running.hub.clients) == 1
        while running.call(lambda: running.hub.clients):
            pass


def test_streams_are_bounded_and_other_answers_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit a stream is refused, with a time to come back; the object still comes."""
    monkeypatch.setattr("tokentop.runtime.serve.app.MAX_STREAMS", 2)
    with service() as running, client(running.port) as a, client(running.port) as b:
        subscribed(running, a)
        subscribed(running, b)
        with client(running.port) as third:
            third.get(STREAM)
            refused = third.until(b"too many streams")
            assert b" 503 " in refused
            assert b"retry-after: 5" in refused
            third.get("/api/system/token-economy")
            third.until(b'{"schema"')
    assert stream.MAX_STREAMS >= 1000


def test_the_end_of_the_service_ends_the_stream() -> None:
    """The client sees a whole answer that has ended, and no broken connection."""
    with service() as running, client(running.port) as one:
        subscribed(running, one)
        one.until(b"data: ")
        running.close()
        assert one.end().endswith(b"0\r\n\r\n")
