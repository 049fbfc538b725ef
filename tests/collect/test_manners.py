"""How often refusals and other programs' ports are polled: counted at the servers' end."""

import json

import pytest

from tests.collect.pending import pending
from tests.polls import run_polls
from tests.servers import hostile
from tests.servers.behaviours import MISBEHAVIOURS, ok, routes
from tests.servers.loopback import Server
from tokentop.collect.collector import Collector, service_poll
from tokentop.config.schema import Config, EngineConfig, ServiceConfig
from tokentop.domain.engines.history import Trends
from tokentop.domain.snapshot_json import dumps
from tokentop.secret import Secret
from tokentop.transport.run_protocol import steps
from tokentop.views.tui.draw.kit.line import DrawOptions
from tokentop.views.tui.draw.panels.engines.detail import lines

PATHS = ["/llm/queue", "/agents", "/llm/slots"]


def round_of(subject: Collector, now: float) -> None:
    """Poll whatever is due at that second, over real sockets."""
    due = [source for source in subject.sources if subject.due(source.key, now)]
    for source, result in zip(due, run_polls([service_poll(s) for s in due]), strict=True):
        subject.record(source.key, result, now)
    if subject.has_engines:
        registry = subject.engines()
        for poll in pending(registry, now):
            (result,) = run_polls([steps(poll.protocol, poll.request)], poll.request)
            registry.record(poll.id, result, now, 0.0)


def genesis(url: str, **changes: object) -> Collector:
    service = ServiceConfig("genesis", url)._replace(**changes)  # type: ignore[arg-type]
    return Collector(Config(services=(service,)), "box", False)


def paths(server: Server) -> list[str]:
    found = [asked.path for asked in server.asked]
    server.asked.clear()
    return found


@pytest.mark.parametrize("name", ["404", "html"])
def test_another_program_at_a_default_address_is_polled_once_in_five_minutes(name: str) -> None:
    """With one request; nothing more while it answers as before."""
    with Server(MISBEHAVIOURS[name]) as server:
        subject = genesis(server.url)
        round_of(subject, 0.0)
        assert sorted(paths(server)) == sorted(PATHS)
        for second in range(4, 300, 4):
            round_of(subject, float(second))
        assert paths(server) == []
        for second in range(300, 600, 4):
            round_of(subject, float(second))
        assert paths(server) == ["/llm/queue"]


def test_the_service_is_polled_in_full_once_it_answers() -> None:
    """It was started where something else had been."""
    with Server(MISBEHAVIOURS["404"]) as server:
        subject = genesis(server.url)
        round_of(subject, 0.0)
        server.answer = ok({"queued": 0, "max_slots": 4})
        round_of(subject, 300.0)
        paths(server)
        round_of(subject, 304.0)
        assert sorted(paths(server)) == sorted(PATHS)


def test_a_configured_service_is_polled_however_it_answers() -> None:
    """The user named it: its paths may come with the next version."""
    with Server(MISBEHAVIOURS["404"]) as server:
        subject = genesis(server.url, configured=True)
        for second in (0.0, 4.0, 8.0):
            round_of(subject, second)
        assert len(paths(server)) == 9


def test_an_engine_known_at_a_default_address_is_not_polled_as_a_service() -> None:
    """Many engines listen on 8001, where genesis would."""
    with Server(MISBEHAVIOURS["404"]) as server:
        engine = EngineConfig(None, server.url, "vllm", None, None)
        service = ServiceConfig("genesis", server.url)
        subject = Collector(Config(services=(service,), engines=(engine,)), "box", False)
        round_of(subject, 0.0)
        assert paths(server).count("/llm/queue") == 1
        round_of(subject, 4.0)
        assert not set(PATHS) & set(paths(server))


def test_what_wants_a_token_is_polled_once_a_minute() -> None:
    """A configured service that answers 401."""
    with Server(MISBEHAVIOURS["401"]) as server:
        subject = genesis(server.url, configured=True)
        for second in range(0, 120, 4):
            round_of(subject, float(second))
        assert len(paths(server)) == 2 * len(PATHS)
        assert subject.snapshot(119.0, 0.0).services[0].reason == "auth"


def test_an_engine_that_wants_a_key_is_polled_once_a_minute() -> None:
    """It keeps its state in between."""
    with Server(MISBEHAVIOURS["401"]) as server:
        engine = EngineConfig(None, server.url, "vllm", None, None)
        subject = Collector(Config(engines=(engine,)), "box", False)
        round_of(subject, 0.0)
        first = paths(server)
        for second in range(4, 60, 4):
            round_of(subject, float(second))
            assert subject.snapshot(float(second), 0.0).engines[0].state == "auth-required"
        assert paths(server) == []
        round_of(subject, 60.0)
        assert sorted(paths(server)) == sorted(first)


@pytest.mark.parametrize("name", ["401", "404"])
def test_the_next_call_of_a_one_shot_polls_it_no_sooner(name: str) -> None:
    """What was answered is carried over, and shown as it was."""
    with Server(MISBEHAVIOURS[name]) as server:
        first = genesis(server.url)
        round_of(first, 0.0)
        paths(server)
        second = genesis(server.url)
        second.restore(json.loads(json.dumps(first.dump())), 5.0)
        round_of(second, 5.0)
        assert paths(server) == []
        one, other = (each.snapshot(5.0, 0.0).services[0] for each in (first, second))
        assert (one.state, one.error, one.reason) == (other.state, other.error, other.reason)


def test_a_token_that_was_configured_since_is_tried_at_once() -> None:
    """The refusal of before was of a request without one."""
    with Server(MISBEHAVIOURS["401"]) as server:
        first = genesis(server.url, configured=True)
        round_of(first, 0.0)
        paths(server)
        second = genesis(server.url, configured=True, token=Secret("sk-0123456"))
        second.restore(json.loads(json.dumps(first.dump())), 5.0)
        round_of(second, 5.0)
        assert sorted(paths(server)) == sorted(PATHS)


def test_forty_thousand_names_are_cut_and_counted() -> None:
    """A list without end is shown by its beginning, and how many more there are."""
    with Server(routes({"/api/ps": hostile.page(hostile.names())})) as server:
        engine = EngineConfig(None, server.url, "ollama", None, None)
        subject = Collector(Config(engines=(engine,)), "box", False)
        round_of(subject, 0.0)
    snapshot = subject.snapshot(0.0, 0.0)
    (row,) = snapshot.engines
    assert len(row.models or ()) == 256
    assert row.names_more == 39_744
    assert len(dumps(snapshot)) < 32_768
    drawn = lines(row, Trends(), 240, 60, DrawOptions())
    assert "model-3 and 39,996 more" in "".join(words for line in drawn for words, *_ in line)
