"""One request that several feeds report is booked once, in whatever order the reports arrive."""

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import permutations
from typing import Any

import pytest

from tests.domain.ledger.examples import HOUR_US
from tests.payloads import payload
from tests.sources.usage.otlp_bodies import NOW_US, read
from tests.transport.ledger.test_ledger import valued
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import UsageEvent
from tokentop.runtime.ledger.verify import verify
from tokentop.sources.usage.rows import event
from tokentop.transport.ledger import reader
from tokentop.transport.ledger.database import Database, connect
from tokentop.transport.ledger.reports import MatchingWriter

Opening = Callable[[], Database]
SESSION = "db2247f8-d59b-4d02-915f-8b925f2f28c2"  # of Claude Code's captured turn


def gateway(name: str = "chat_success.json", **changes: Any) -> UsageEvent:
    """What LiteLLM's callback reports, with the figures of another request."""
    raw = json.loads(payload(f"usage/litellm/{name}"))
    raw = raw[0] if isinstance(raw, list) else raw
    return event(raw, "")._replace(**changes)


def captured(name: str) -> UsageEvent:
    (found,) = read(name).events
    return found


def claude_turn() -> dict[str, UsageEvent]:
    """The same turn as Claude Code's log, span and counter have it, and as its gateway does."""
    log, span, counter = (captured(f"claude_code/{name}.pb") for name in
                          ("logs", "traces", "metrics"))  # fmt: skip
    seen = gateway(
        "anthropic_messages_success.json", session=SESSION, model="claude-sonnet-4-5",
        prompt=1534, cached=1000, generated=56, at_us=log.at_us + 5_000, micro_usd=61,
    )  # fmt: skip
    return {"log": log, "span": span, "counter": counter, "gateway": seen}


def booked(db: Database) -> list[Entry]:
    """The entries that stand: neither reversed nor a reversal."""
    entries = [entry for entry, _ in reader.chain(db, "a")]
    gone = {entry.reverses for entry in entries}
    return [each for each in entries if each.kind == "usage" and each.identity not in gone]


def book(db: Database, batches: Iterable[Sequence[UsageEvent]]) -> Entry:
    """Book batch after batch, and check that one request is left, and the chain whole."""
    writer = MatchingWriter(db, "a", valued)
    for batch in batches:
        writer.append(batch, NOW_US)
    (entry,) = booked(db)
    ((_, total),) = reader.sums(db, [], 0, NOW_US)
    assert (total.requests, total.prompt, total.generated) == (1, entry.prompt, entry.generated)
    assert verify(db).faults == ()
    return entry


ORDERS = list(permutations(("log", "span", "counter", "gateway")))


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_a_turn_of_claude_code_counts_once(tmp_path: Any, order: Sequence[str]) -> None:
    """Whose it was the gateway authenticated, and its task the agent's log has."""
    turn = claude_turn()
    db = connect(str(tmp_path / "l.sqlite3"), create=True)
    entry = book(db, [[turn[name]] for name in order])
    assert (entry.prompt, entry.cached, entry.generated) == (1534, 1000, 56)
    assert entry.micro_usd == 61  # the gateway's price, not the agent's 2,967
    assert reader.people(db)[entry.user_id or ""] == "ada"
    assert (entry.team, entry.project) == ("Blue", "alpha")
    assert entry.authenticated == "user,team,project"
    assert entry.task == "72ba62ee-0f53-4148-8f59-8c16aac3eeaf"
    db.close()


def test_all_in_one_batch_and_all_sent_again(opening: Opening) -> None:
    db, turn = opening(), list(claude_turn().values())
    first = book(db, [turn])
    assert book(db, [turn, turn[::-1]]) == first
    assert len(list(reader.chain(db, "a"))) == 1


def test_what_came_first_is_reversed_when_a_better_report_comes(opening: Opening) -> None:
    """The chain has all three entries, and a follower is given each."""
    db, turn = opening(), claude_turn()
    writer = MatchingWriter(db, "a", valued)
    (log,) = writer.append([turn["log"]], NOW_US).entries
    done = writer.append([turn["gateway"]], NOW_US)
    assert [each.kind for each in done.entries] == ["reversal", "usage"]
    assert (done.entries[0].reverses, done.known) == (log.identity, 1)
    assert done.entries[0].generated == -56
    assert writer.append([turn["log"]], NOW_US).entries == ()


def test_requests_that_are_alike_stay_as_many_as_they_were(opening: Opening) -> None:
    """Two turns of one session with the same counts, each reported twice."""
    turn, db = claude_turn(), opening()
    later = 30_000_000
    again = [
        turn["log"]._replace(identity="claude-code:s:2", at_us=turn["log"].at_us + later),
        turn["gateway"]._replace(identity="litellm:2", at_us=turn["gateway"].at_us + later),
    ]
    writer = MatchingWriter(db, "a", valued)
    writer.append([turn["log"], turn["gateway"], *again], NOW_US)
    assert len(booked(db)) == 2


def test_two_reports_of_the_gateway_leave_room_for_the_clients(opening: Opening) -> None:
    turn = claude_turn()
    span = turn["gateway"]._replace(feed="litellm-otel", trace="ab" * 16)
    entry = book(opening(), [[turn["gateway"]], [span], [turn["log"]]])
    assert entry.task == turn["log"].task


def test_many_that_are_alike_are_not_held_against_each_other(opening: Opening) -> None:
    """A load test through a gateway: a thousand equal requests of one session in one minute."""
    seen = claude_turn()["gateway"]
    many = [seen._replace(identity=f"litellm:{n}", request=f"r-{n}") for n in range(1000)]
    db = opening()
    MatchingWriter(db, "a", valued).append(many, NOW_US)
    assert len(booked(db)) == 1000


def test_codex_is_found_by_its_session(opening: Opening) -> None:
    """LiteLLM keeps the header in which Codex names it; prompts and counts are the same."""
    log = captured("codex/logs.json")
    raw = json.loads(payload("usage/litellm/chat_success.json"))
    metadata = json.dumps({"session_id": log.session, "turn_id": "t"})
    raw["metadata"]["requester_custom_headers"] = {"x-codex-turn-metadata": metadata}
    seen = event(raw, "")._replace(
        model="tiny-llama", prompt=1234, cached=1000, generated=56, reasoning=None
    )
    entry = book(opening(), [[log], [seen]])
    assert (entry.session, entry.reasoning, entry.team) == (log.session, 7, "Blue")


@pytest.mark.parametrize("first", [0, 1])
def test_gemini_clis_request_encloses_the_gateways(opening: Opening, first: int) -> None:
    """No id joins them: model, counts and time do."""
    log = captured("gemini_cli/logs.json")
    seen = gateway(
        model=log.model, prompt=1234, cached=1000, generated=56, session=None,
        at_us=log.at_us + 4_000, duration_ms=30,
    )  # fmt: skip
    both = [log, seen]
    entry = book(opening(), [[both[first]], [both[1 - first]]])
    assert (entry.session, entry.reasoning) == (log.session, 7)
    assert entry.authenticated == "user,team,project"


def test_a_request_at_another_time_is_another_one(opening: Opening) -> None:
    log = captured("gemini_cli/logs.json")
    seen = gateway(
        model=log.model, prompt=1234, generated=56, session=None, at_us=log.at_us - 5_000_000
    )
    db = opening()
    MatchingWriter(db, "a", valued).append([log, seen], NOW_US)
    assert len(booked(db)) == 2


def test_an_engines_span_is_found_by_the_answers_id(opening: Opening) -> None:
    """The gateway's figures stay; of the engine's span only the model's absence would be new."""
    span = read("vllm/traces.llm_request.pb").events[0]
    seen = gateway(request=span.request, prompt=18, cached=0, generated=12, at_us=span.at_us)
    entry = book(opening(), [[span], [seen]])
    assert (entry.model, entry.engine, entry.feed) == ("tiny-llama", "node-a", "litellm")


ABORTED = list(permutations(("callback", "span", "engine")))


@pytest.mark.parametrize("order", ABORTED, ids=" ".join)
def test_an_estimate_is_corrected_by_what_the_engine_counted(
    tmp_path: Any, order: Sequence[str]
) -> None:
    """A client hung up: LiteLLM guesses 1,767 tokens, its span does not even say so."""
    engine = captured("sglang/traces.aborted_stream.pb")
    callback = gateway(
        "chat_stream_client_disconnected_499.json", at_us=engine.at_us - 3_000, session=None
    )
    span = callback._replace(
        feed="litellm-otel", estimated=False, outcome="success", trace=engine.trace
    )
    assert (callback.estimated, callback.generated) == (True, 1767)
    reports = {"callback": callback, "span": span, "engine": engine}
    db = connect(str(tmp_path / "l.sqlite3"), create=True)
    entry = book(db, [[reports[name]] for name in order])
    assert (entry.generated, entry.estimated, entry.outcome) == (436, 0, "aborted")
    assert reader.people(db)[entry.user_id or ""] == "ada"
    db.close()


def test_an_estimate_alone_is_marked(opening: Opening) -> None:
    entry = book(opening(), [[gateway("chat_stream_client_disconnected_499.json")]])
    assert (entry.estimated, entry.outcome) == (1, "aborted")


def test_a_counter_that_goes_on_replaces_itself_until_a_log_comes(opening: Opening) -> None:
    first, log = captured("gemini_cli/metrics.json"), captured("gemini_cli/logs.json")
    more = first._replace(prompt=3000, cached=2000, generated=99)
    db = opening()
    assert book(db, [[first], [more], [first]]).prompt == 3000
    entry = book(db, [[log], [more._replace(prompt=4000)]])
    assert (entry.prompt, entry.generated) == (1234, 56)


def test_what_a_person_reversed_stays_reversed(opening: Opening) -> None:
    """A better report of it later brings nothing back, and costs no batch."""
    db, turn = opening(), claude_turn()
    writer = MatchingWriter(db, "a", valued)
    (entry,) = writer.append([turn["log"]], NOW_US).entries
    writer.reverse(entry.identity, NOW_US)
    assert writer.append([turn["gateway"], turn["span"]], NOW_US).entries == ()
    assert booked(db) == []


def test_reports_are_found_for_a_day(opening: Opening) -> None:
    """Their keys are removed then; an event that is sent again counts once for ever."""
    db, turn = opening(), claude_turn()
    writer = MatchingWriter(db, "a", valued)
    writer.append([turn["gateway"]], NOW_US)
    (count,) = db.row("SELECT count(*) FROM reports") or (0,)
    assert count > 0
    later = NOW_US + 26 * HOUR_US
    assert writer.append([turn["gateway"]], later).known == 1
    (left,) = db.row("SELECT count(*) FROM reports") or (1,)
    assert left == 0
