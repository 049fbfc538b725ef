"""The engine registry: which engines are polled when, with which credentials, which are dropped."""

import json
import subprocess
import sys
from typing import Any, NamedTuple

import pytest

from tests.collect.pending import pending
from tests.payloads import payload
from tests.polls import driven
from tests.sources.engines.conversations import captured
from tokentop.collect.collector import Collector
from tokentop.collect.engine import WRONG_KEY
from tokentop.collect.engines import EngineRegistry, PendingPoll
from tokentop.config.schema import Config, EngineConfig
from tokentop.domain.engines.observation import EngineObservation
from tokentop.domain.engines.rates import Rates
from tokentop.domain.engines.readings import (
    Counters,
    EngineReading,
    Histogram,
    Histograms,
    SlotProgress,
)
from tokentop.domain.engines.rows import row
from tokentop.domain.policy import CostPolicy, Policy
from tokentop.domain.readings import Failure
from tokentop.secret import Secret
from tokentop.sources.engines.protocol import Answer
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.run_protocol import steps

URL = "http://127.0.0.1:8000"
REFUSED = Failure("refused", "nobody listens")


class Seen(NamedTuple):
    """One engine as discovery reports it."""

    kind: Any = "vllm"
    url: str = URL
    pids: tuple[int, ...] = ()
    argv_slots: int | None = None
    model_hint: str | None = None
    runners: tuple[str, ...] = ()
    one_pool: bool | None = None
    kv_gpu_bytes: int | None = None


def registry(*engines: EngineConfig) -> EngineRegistry:
    return EngineRegistry(Config(engines=engines))


def reading(generated: float = 0.0, **changes: Any) -> EngineReading:
    counters = Counters(generation_tokens=generated)
    return EngineReading("vllm", model="m", active=0, counters=counters)._replace(**changes)


def only(subject: EngineRegistry, now: float = 0.0) -> EngineObservation:
    (view,) = subject.observations(now, 12.0)
    return view


def hold(due: PendingPoll, pages: dict[str, Answer]) -> tuple[Any, list[Request]]:
    """The poll's result over these pages, and every request that was made."""
    asked: list[Request] = []

    def fetch(requests: Any) -> list[Reply | Failure]:
        asked.extend(requests)
        found = [pages.get(request.url.removeprefix(due.request.url)) for request in requests]
        missing = Failure("http", "no such path", True, 404)
        return [Reply(200, a.body, a.content_type, a.server) if a else missing for a in found]

    return driven(steps(due.protocol, due.request), fetch), asked


VLLM = {
    "/metrics": captured("vllm/load/metrics.txt"),
    "/version": captured("vllm/load/version.json"),
    "/v1/models": captured("vllm/load/v1_models.json"),
}


def test_a_token_goes_only_to_the_engine_it_was_configured_for() -> None:
    """A discovered neighbour, even on the same machine, is asked without."""
    subject = registry(EngineConfig("mine", URL, "vllm", Secret("s3cret")))
    subject.update_from_discovery((Seen(url="http://127.0.0.1:8001"),), now=0.0)
    tokens = {due.request.url: due.request.token for due in pending(subject, 0.0)}
    assert tokens == {URL: Secret("s3cret"), "http://127.0.0.1:8001": None}


def test_ids_are_stable_and_readable() -> None:
    """Kind and address; a search that finds the engine again changes nothing."""
    subject = registry()
    subject.update_from_discovery((Seen(), Seen("ollama", "http://127.0.0.1:11434")), now=0.0)
    subject.update_from_discovery(
        (Seen("ollama", "http://localhost:11434"), Seen(pids=(7,))), now=0.0
    )
    assert subject.ids() == ("vllm@127.0.0.1:8000", "ollama@127.0.0.1:11434")


def test_what_discovery_found_of_a_configured_engine_is_added_to_it() -> None:
    """One row, with its processes and the slots of its command line; its name is the user's."""
    subject = registry(EngineConfig("mine", "http://localhost:8000/", "vllm"))
    subject.update_from_discovery((Seen(pids=(1, 2), argv_slots=16),), now=0.0)
    (due,) = pending(subject, 0.0)
    result, _ = hold(due._replace(request=due.request._replace(url=URL)), VLLM)
    subject.record(due.id, result, 0.0, 0.01)
    view = only(subject)
    assert view.reading is not None
    assert (view.name, view.pids) == ("mine", (1, 2))
    assert (view.reading.max_slots, view.reading.slots_source) == (16, "argv")


def test_an_engine_of_unnamed_kind_is_identified_by_its_answers_once() -> None:
    """Later polls ask what its adapter needs, and no more."""
    subject = registry(EngineConfig("mine", URL))
    (due,) = pending(subject, 0.0)
    result, asked = hold(due, VLLM)
    subject.record(due.id, result, 0.0, 0.01)
    assert (only(subject).kind, only(subject).id) == ("vllm", "engine@127.0.0.1:8000")
    assert len(asked) > 4
    (due,) = pending(subject, 4.0)
    _, asked = hold(due, VLLM)
    assert [request.url for request in asked] == [URL + "/metrics"]


@pytest.mark.parametrize(
    ("answers", "kind"),
    [({"/": Answer(b"<html>", "text/html")}, "bad-data"), ({}, "bad-data")],
)
def test_what_is_no_engine_is_reported(answers: dict[str, Answer], kind: str) -> None:
    """The user named something that answers, but not as an engine does."""
    (due,) = pending(registry(EngineConfig("mine", URL)), 0.0)
    result, _ = hold(due, answers)
    assert isinstance(result, Failure)
    assert (result.kind, result.neutral) == (kind, True)


def test_a_refused_key_is_distinguished_from_a_missing_one() -> None:
    """A user who configured a key is not advised to configure one."""
    locked = reading(health="auth-required", advice="name it")
    told = []
    for token in (None, Secret("s3cret")):
        subject = registry(EngineConfig("mine", URL, "vllm", token))
        subject.record("vllm@127.0.0.1:8000", locked, 0.0, 0.01)
        told.append(getattr(only(subject).reading, "advice", None))
    assert told == ["name it", WRONG_KEY]


def test_an_engine_of_unnamed_kind_that_loads_is_loading() -> None:
    """Everything answers 503 until the model is there; then it is distinguished."""
    subject = registry(EngineConfig("mine", URL))
    (due,) = pending(subject, 0.0)
    loading = Failure("http", "503", False, 503)
    result = driven(steps(due.protocol, due.request), lambda asked: [loading for _ in asked])
    assert isinstance(result, EngineReading)
    assert result.health == "starting"
    subject.record(due.id, result, 0.0, 0.01)
    assert only(subject).kind == "unknown"
    (due,) = pending(subject, 4.0)
    hold(due, VLLM)
    assert only(subject).kind == "vllm"


def test_three_failures_back_off_an_engine_and_one_probe_brings_it_back() -> None:
    """The others go on."""
    subject = registry(EngineConfig("a", URL, "vllm"), EngineConfig("b", "http://b:1", "vllm"))
    first = "vllm@127.0.0.1:8000"
    for now in (0.0, 4.0, 8.0):
        subject.record(first, REFUSED, now, None)
    assert [due.id for due in pending(subject, 12.0)] == ["vllm@b:1"]
    assert subject.observations(12.0, 12.0)[0].backing_off
    assert subject.poll(first, 23.0) is not None
    assert subject.poll(first, 23.1) is None
    subject.record(first, reading(), 23.2, 0.01)
    assert subject.poll(first, 24.0) is not None


def test_rates_come_from_the_counters() -> None:
    """400 tokens in 4 s."""
    subject = registry(EngineConfig("a", URL, "vllm"))
    for now, tokens in ((0.0, 100.0), (4.0, 500.0)):
        subject.record("vllm@127.0.0.1:8000", reading(tokens), now, 0.01)
    assert only(subject, 4.0).rates.generation_tokens_per_s == 100.0


def test_the_age_is_of_the_last_good_answer() -> None:
    """A failure leaves the reading where it is."""
    subject = registry(EngineConfig("a", URL, "vllm"))
    subject.record("vllm@127.0.0.1:8000", reading(), 1.0, 0.01)
    subject.record("vllm@127.0.0.1:8000", REFUSED, 5.0, None)
    view = only(subject, 6.0)
    assert (view.age_s, view.outcome, view.reading) == (5.0, REFUSED, reading())


def test_an_unusable_field_is_unknown() -> None:
    """Its last good value is not of now; the others are, and the row names it."""
    subject = registry(EngineConfig("a", URL, "vllm"))
    subject.record("vllm@127.0.0.1:8000", reading(kv_cache=0.5), 0.0, 0.01)
    subject.record("vllm@127.0.0.1:8000", reading(active=3, bad=("kv_cache", "odd")), 4.0, 0.01)
    held = only(subject, 4.0).reading
    assert held is not None
    assert (held.kv_cache, held.active) == (None, 3)
    engine = row(only(subject, 4.0))
    assert (engine.error, engine.reason) == ("unusable values in kv_cache, odd", "bad-data")


def test_standing_counters_with_requests_running_are_timed() -> None:
    """From the last movement on; an idle engine stands still by right."""
    subject = registry(EngineConfig("a", URL, "vllm"))
    polls = ((0.0, 5.0, 0), (4.0, 5.0, 2), (8.0, 5.0, 2), (40.0, 5.0, 2))
    stuck = []
    for now, tokens, active in polls:
        subject.record("vllm@127.0.0.1:8000", reading(tokens, active=active), now, 0.01)
        stuck.append(only(subject, now).stuck_s)
    assert stuck == [0.0, 4.0, 8.0, 40.0]
    subject.record("vllm@127.0.0.1:8000", reading(6.0, active=2), 44.0, 0.01)
    assert only(subject, 44.0).stuck_s == 0.0


def test_a_vanished_engine_is_gone_for_ten_minutes() -> None:
    """Only when it is silent too, only the discovered, and not for a search cut short."""
    subject = registry(EngineConfig("mine", "http://b:1", "vllm"))
    subject.update_from_discovery((Seen(),), now=0.0)
    subject.record("vllm@127.0.0.1:8000", reading(), 0.0, 0.01)
    subject.record("vllm@b:1", REFUSED, 0.0, None)
    subject.update_from_discovery((), now=2.0)
    subject.update_from_discovery((), now=3.0)
    assert len(subject.ids()) == 2
    subject.record("vllm@127.0.0.1:8000", REFUSED, 4.0, None)
    subject.update_from_discovery((), now=605.0, complete=False)
    assert len(subject.ids()) == 2
    subject.update_from_discovery((), now=604.0)
    assert [one.state for one in subject.observations(604.0, 12.0)] == ["offline", "gone"]
    subject.update_from_discovery((), now=605.0)
    assert subject.ids() == ("vllm@b:1",)
    subject.record("vllm@127.0.0.1:8000", reading(), 8.0, 0.01)  # a late answer harms nobody


def test_an_engine_that_was_never_read_is_not_missed() -> None:
    """Two searches without it are enough; nobody can say what it was."""
    subject = registry()
    subject.update_from_discovery((Seen(),), now=0.0)
    subject.record("vllm@127.0.0.1:8000", REFUSED, 1.0, None)
    subject.update_from_discovery((), now=2.0)
    subject.update_from_discovery((), now=3.0)
    assert subject.ids() == ()


def test_the_user_dismisses_an_engine_that_is_gone() -> None:
    """Neither one that answers, nor one that the file names."""
    subject = registry(EngineConfig("mine", "http://b:1", "vllm"))
    subject.update_from_discovery((Seen(),), now=0.0)
    subject.record("vllm@127.0.0.1:8000", reading(), 0.0, 0.01)
    subject.record("vllm@b:1", REFUSED, 0.0, None)
    assert not subject.dismiss("vllm@127.0.0.1:8000")
    assert not subject.dismiss("vllm@b:1")
    subject.record("vllm@127.0.0.1:8000", REFUSED, 4.0, None)
    assert subject.dismiss("vllm@127.0.0.1:8000")
    assert subject.ids() == ("vllm@b:1",)


def test_another_kind_at_the_same_port_is_another_engine() -> None:
    """Nothing of the old one is kept."""
    subject = registry()
    subject.update_from_discovery((Seen(),), now=0.0)
    subject.record("vllm@127.0.0.1:8000", reading(), 0.0, 0.01)
    subject.update_from_discovery((Seen("sglang"),), now=0.0)
    assert subject.ids() == ("sglang@127.0.0.1:8000",)
    assert only(subject).reading is None


def test_a_starting_engine_is_known_by_its_process() -> None:
    """Until it answers."""
    subject = registry()
    subject.update_from_discovery((), (Seen(model_hint="big"),), now=0.0)
    assert (only(subject).starting, only(subject).model_hint) == (True, "big")
    subject.update_from_discovery((Seen(),), now=0.0)
    assert not only(subject).starting


def test_a_process_that_served_is_ending() -> None:
    """It lingers while it frees its GPUs and listens no more: its model is not being loaded."""
    name = "vllm@127.0.0.1:8000"
    subject = registry()
    subject.update_from_discovery((Seen(pids=(7, 8)),), now=0.0)
    subject.record(name, reading(), 0.0, 0.01)
    subject.record(name, REFUSED, 4.0, None)
    subject.update_from_discovery((), (Seen(pids=(7,)),), now=5.0)
    assert (only(subject, 5.0).starting, only(subject, 5.0).state) == (False, "gone")
    subject.update_from_discovery((), (Seen(pids=(9,)),), now=35.0)
    assert (only(subject, 35.0).starting, only(subject, 35.0).state) == (True, "starting")


def test_one_that_came_up_between_two_searches_has_served() -> None:
    """Found while it loaded, it answered and ended before the next search: not starting."""
    name = "vllm@127.0.0.1:8000"
    subject = registry()
    subject.update_from_discovery((), (Seen(pids=(7,)),), now=0.0)
    subject.record(name, REFUSED, 4.0, None)
    assert only(subject, 4.0).state == "starting"
    subject.record(name, reading(), 8.0, 0.01)
    subject.record(name, REFUSED, 12.0, None)
    assert only(subject, 12.0).state == "gone"
    subject.update_from_discovery((), (Seen(pids=(7,)),), now=30.0)
    assert only(subject, 30.0).state == "gone"


def test_the_next_call_knows_who_has_served() -> None:
    """A one-shot's search that finds an ending process does not say that it starts."""
    name = "vllm@127.0.0.1:8000"
    first, second = registry(), registry()
    first.update_from_discovery((Seen(pids=(7,)),), now=0.0)
    first.record(name, reading(), 0.0, 0.01)
    second.restore(json.loads(json.dumps(first.dump())), 1.0)
    second.update_from_discovery((), (Seen(pids=(7,)),), now=5.0)
    second.record(name, REFUSED, 5.0, None)
    assert only(second, 5.0).state == "gone"


FULL = reading(
    5.0,
    epoch=3.0,
    slots=(SlotProgress("t", 4, 2),),
    latencies=Histograms(ttft=(Histogram(((0.5, 1.0), (float("inf"), 2.0))),)),
)
LATER = Histograms(ttft=(Histogram(((0.5, 1.0), (float("inf"), 6.0))),))


def test_what_is_dumped_stays_as_it_was() -> None:
    """Another thread writes it to a file while the next readings come."""
    name = "vllm@127.0.0.1:8000"
    subject = registry(EngineConfig("a", URL, "vllm"))
    subject.record(name, FULL, 100.0, 0.01)
    subject.record(name, reading(105.0, epoch=3.0, latencies=LATER), 110.0, 0.01)
    kept = subject.dump()
    then = json.dumps(kept)
    subject.record(name, reading(205.0, epoch=3.0, latencies=LATER), 120.0, 0.01)
    assert json.dumps(kept) == then != json.dumps(subject.dump())


def test_counters_survive_from_one_call_to_the_next() -> None:
    """Through JSON and back: the next process has a rate at its first poll."""
    name = "vllm@127.0.0.1:8000"
    before, after = (
        registry(EngineConfig("a", URL, "vllm")),
        registry(EngineConfig("a", URL, "vllm")),
    )
    before.record(name, FULL._replace(slots=None), 100.0, 0.01)
    kept = json.loads(json.dumps(before.dump(), allow_nan=False))
    after.restore(kept, 110.0)
    after.record(name, reading(105.0, epoch=3.0, latencies=LATER), 110.0, 0.01)
    rates = only(after, 110.0).rates
    assert rates.generation_tokens_per_s == 10.0
    assert rates.tokens_seen == (None, 100, False)
    (ttft,) = rates.latencies.ttft
    assert ttft.buckets[-1][1] == 4.0


@pytest.mark.parametrize(
    ("now", "changes"),
    [(221.0, {}), (99.0, {}), (110.0, {"epoch": 4.0}), (110.0, {"counters": Counters()})],
)
def test_old_counters_and_resets_give_no_rate(now: float, changes: dict[str, Any]) -> None:
    """Older than two minutes, from the future, or from before a restart."""
    name = "vllm@127.0.0.1:8000"
    before, after = (
        registry(EngineConfig("a", URL, "vllm")),
        registry(EngineConfig("a", URL, "vllm")),
    )
    before.record(name, reading(50.0, epoch=3.0), 100.0, 0.01)
    after.restore(before.dump(), now)
    after.record(name, reading(100.0, epoch=3.0)._replace(**changes), now, 0.01)
    assert only(after, now).rates.generation_tokens_per_s is None


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {"vllm@127.0.0.1:8000": 3},
        {"vllm@127.0.0.1:8000": {"kind": "vllm", "rates": {}}},
        {"vllm@127.0.0.1:8000": {"kind": "vllm", "rates": {"read_at": 1.0, "epoch": "x"}}},
        {"vllm@127.0.0.1:8000": {"readings": [3, {}, {"at": "x"}, {"at": 1, "kind": "evil"}]}},
        {"vllm@127.0.0.1:8000": {"readings": [{"at": 1.0, "kind": "vllm", "counters": [[]]}]}},
        {"x": {"read_before": True, "url": "http://127.0.0.1:1\x1b[2J", "unserved_since": "now"}},
        {"x": {"read_before": True, "url": "http://evil.example:80", "unserved_since": 1.0}},
    ],
)
def test_damaged_saved_counters_restore_nothing(kept: object) -> None:
    """What was on disk may be anything."""
    subject = registry(EngineConfig("a", URL, "vllm"))
    subject.restore(kept, 2.0)
    assert only(subject, 2.0).rates == Rates()


def test_the_collector_shows_its_engines_and_their_cost() -> None:
    """From the desk into the snapshot: row, strip, demand and money."""
    cost = CostPolicy(usd_per_gpu_hour=3.6, gpus=1)
    config = Config(engines=(EngineConfig("a", URL, "vllm"),), policy=Policy(cost=cost))
    subject = Collector(config, "box", False)
    for now, tokens in ((0.0, 0.0), (4.0, 400.0)):
        subject.engines().record("vllm@127.0.0.1:8000", reading(tokens, active=1), now, 0.01)
        snapshot = subject.snapshot(now, 0.0)
    assert (snapshot.engines[0].state, snapshot.services[-1].kind) == ("online", "vllm")
    assert snapshot.llm.active == 1
    assert snapshot.pricing.usd_per_hour == 3.6
    assert snapshot.pricing.usd_per_mtok_busy == pytest.approx(10.0)


def test_no_engine_costs_no_import() -> None:
    """The seven services alone load nothing of the engines' part."""
    program = (
        "import sys; from tokentop.collect.collector import Collector; "
        "from tokentop.config.schema import Config; "
        "Collector(Config(), 'box', False).snapshot(0.0, 0.0); "
        "print(*sorted(m for m in sys.modules if 'engine' in m or m.endswith('.cost')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    light = ("engines", "engines.summary", "snapshot_engines")  # their values, no reading of them
    assert done.stdout.split() == [f"tokentop.domain.{name}" for name in light]
    assert done.stderr == ""


def test_captured_pages_are_read_to_the_end() -> None:
    """A real server's page under load, through the desk."""
    assert b"vllm:" in payload("vllm/load/metrics.txt")
    subject = registry(EngineConfig("a", URL, "vllm"))
    (due,) = pending(subject, 0.0)
    result, _ = hold(due, VLLM)
    assert isinstance(result, EngineReading)
    assert (result.active, result.queued) == (4, 8)
