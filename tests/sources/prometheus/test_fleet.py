"""The protocol of the Prometheus server: what is asked, how often, and what failure means."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.prometheus.asked import AT, EMPTY, answer, failing, of, read, row
from tokentop.domain.engines.fleet_readings import FleetReading
from tokentop.domain.readings import Failure
from tokentop.sources.engines.protocol import Answer
from tokentop.sources.prometheus.fleet import QUICK, SELDOM, SLOW, Fleet, parse
from tokentop.sources.prometheus.queries import path, queries

RUNNING = "vllm:num_requests_running"


@pytest.mark.parametrize("group_by", [None, "cluster", "model_name", "a" * 60])
def test_a_few_short_queries(group_by: str | None) -> None:
    """Few enough for every server, short enough for every proxy's URL, whatever is grouped by."""
    asked = queries(group_by)
    assert [name for name, _ in asked] == ["gauges", "ages", "down", "gpus", "rates", "events",
                                           "totals", "merged", "latency", "latency_tokens",
                                           "latency_stages"]  # fmt: skip
    assert {name for name, _ in asked} == {*QUICK, *SLOW}
    for _, promql in asked:
        assert len(path(promql)) < 4096
        assert parse_qs(urlsplit(path(promql)).query) == {"query": [promql]}


class Server:
    """Answers a protocol and keeps what it was asked, by the names of the queries."""

    def __init__(self, **answers: Answer | Failure) -> None:
        self.answers: dict[str, Answer | Failure] = {**EMPTY, **answers}
        self.asked: list[list[str]] = []
        self.windows: list[int] = []
        self._names: dict[str, tuple[str, int]] = {
            path(promql): (name, seconds)
            for seconds in (300, 60)
            for name, promql in queries(None, seconds)
        }

    def poll(self, fleet: Fleet, now: float) -> FleetReading | Failure:
        talk = fleet.poll(now)
        try:
            paths = next(talk)
            while True:
                names = [self._names[at][0] for at in paths]
                self.asked.append(names)
                self.windows.append(min(self._names[at][1] for at in paths if "rate" in at))
                paths = talk.send(
                    dict(zip(paths, map(self.answers.__getitem__, names), strict=True))
                )
        except StopIteration as ended:
            found: FleetReading | Failure = ended.value
            return found


BUSY = {
    "gauges": answer(row(RUNNING, 1)),
    "rates": answer(of("generation_tokens", 5)),
    "events": answer(of("preemptions", 2)),
    "ages": answer(({"instance": "a:8000", "job": "vllm"}, AT - 5)),
}


TRITON = {"gauges": answer(row("nv_inference_pending_request_count", 0))}


def test_what_is_dear_is_asked_seldom_and_kept() -> None:
    """Histograms, events and GPUs every twenty seconds; what they said stays in between."""
    server, fleet = Server(**BUSY), Fleet()
    readings = [server.poll(fleet, 1000.0 + 4 * n) for n in range(7)]
    assert [len(names) for names in server.asked] == [11, 4, 4, 4, 4, 11, 4]
    assert {names for names in map(tuple, server.asked) if len(names) == 4} == {QUICK}
    for reading in readings:
        assert isinstance(reading, FleetReading)
        assert reading.engines[0].rates.window.preemptions == 120


def test_engines_scraped_once_a_minute_still_have_rates() -> None:
    """A window that held a single scrape is asked again over five minutes, at once and in words."""
    server, fleet = Server(**BUSY | {"rates": answer()}), Fleet()
    first = server.poll(fleet, 1000.0)
    assert server.windows == [60, 300]
    assert isinstance(first, FleetReading)
    assert first.notes[-1] == SELDOM
    server.poll(fleet, 1004.0)
    assert server.windows == [60, 300, 300]


def test_engines_that_count_requests_only_do_have_rates() -> None:
    """A Triton without a vLLM backend has no tokens, however often it is scraped."""
    server, fleet = Server(**BUSY | {"rates": answer(of("succeeded", 5)), **TRITON}), Fleet()
    reading = server.poll(fleet, 1000.0)
    assert isinstance(reading, FleetReading)
    assert (server.windows, reading.notes) == ([60], ())


def test_the_short_window_returns_with_frequent_scrapes() -> None:
    """After five minutes in which nothing was older than a scrape every 25 s."""
    server, fleet = Server(**BUSY | {"rates": answer()}), Fleet()
    server.poll(fleet, 1000.0)
    server.answers["rates"] = answer(of("generation_tokens", 5))
    for now in (1010.0, 1300.0, 1304.0):
        server.poll(fleet, now)
    assert server.windows == [60, 300, 300, 300, 60]


def test_seats_are_a_lower_bound_from_several_polls() -> None:
    """No series has the slots: what ran while others waited, three times, is shown as derived."""
    waiting = (row(RUNNING, 9), row("vllm:num_requests_waiting", 2))
    server, fleet = Server(**BUSY | {"gauges": answer(*waiting)}), Fleet()
    slots = []
    for n in range(3):
        reading = server.poll(fleet, 4.0 * n)
        assert isinstance(reading, FleetReading)
        slots.append(
            (reading.engines[0].reading.max_slots, reading.engines[0].reading.slots_source)
        )
    assert slots == [(None, None), (None, None), (9, "derived")]


def test_a_failed_query_costs_what_it_holds() -> None:
    """The rest goes on, and the note says which part is missing and why."""
    late = Failure("timeout", "http://p gave no complete answer within 2.5 s")
    found = read(None, 60, **BUSY, latency=late)
    assert found.engines[0].rates.generation_tokens_per_s == 5
    assert found.notes == (f"latency: {late.text}",)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (Failure("http", "x", True, 404), "path prefix, such as /prometheus"),
        (Failure("http", "x", True, 400), "refused a query (400)"),
        (Failure("http", "x", True, 422), "refused a query (422)"),
        (Failure("http", "x", False, 503), "busy, or the fleet is too large"),
        (
            Failure("auth", "http://p wants a token (401): set token_env", True, 401),
            "wants a token",
        ),
        (Failure("refused", "nothing listens at http://p"), "nothing listens at http://p"),
    ],
)
def test_no_gauges_no_fleet(failure: Failure, words: str) -> None:
    """The failure of the one query that nothing goes without is the fleet's, with its mend."""
    found = failing({**EMPTY, "gauges": failure})
    assert words in found.text
    assert (found.kind, found.status) == (failure.kind, failure.status)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>login</html>", "web page"),
        (b"", "empty"),
        (b"{", "not valid JSON"),
        (b"[]", "does not speak Prometheus"),
        (b'{"status":"success"}', "something other than a vector"),
        (b'{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}', "other than"),
        (b'{"status":"success","data":[{"__name__":"x"}]}', "other than a vector"),
        (b'{"status":"error","errorType":"bad_data","error":"1:6: parse\\u001b error"}',
         "refused a query: 1:6: parse"),
        (b'{"status":"error"}', "gives no reason"),
    ],
)  # fmt: skip
def test_answers_that_are_none(body: bytes, words: str) -> None:
    """Each is a neutral sentence: the server is there, and backing off would hide the error."""
    found = failing({**EMPTY, "gauges": Answer(body)})
    assert (found.kind, found.neutral) == ("bad-data", True)
    assert words in found.text
    assert found.text.isprintable()


def test_a_server_without_engines_says_so() -> None:
    """An empty vector is success: there is no such series."""
    found = read()
    assert found.engines == ()
    assert "no inference engine is known there" in found.notes[0]


def test_warnings_are_shown() -> None:
    """Partial answers (Thanos, one store down) are not passed off as whole."""
    found = read(gauges=answer(row(RUNNING, 1), warnings=["store\x00 down", 5], infos=["x"]))
    assert found.notes == ("store down",)


def test_rows_of_another_shape_cost_themselves() -> None:
    """Histograms, missing values, odd labels: the row goes, the others stay."""
    body = (
        b'{"status":"success","data":{"resultType":"vector","result":[5,{"metric":{}},'
        b'{"metric":{"__name__":"vllm:num_requests_running"},"histogram":[1,{}]},'
        b'{"metric":[],"value":[1,"2"]},{"metric":{},"value":["x","2"]},'
        b'{"metric":{"__name__":"vllm:num_requests_running","instance":"a"},"value":[1,"2"]}]}}'
    )
    assert [e.reading.active for e in read(gauges=Answer(body)).engines] == [2]


def test_a_real_servers_answers() -> None:
    """Captured from Prometheus 2.42: a vLLM gauge with its labels as they come."""
    body = (
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":'
        b'"vllm:num_requests_running","engine":"0","instance":"127.0.0.1:18000","job":"vllm",'
        b'"model_name":"tiny-llama"},"value":[1795237324.086,"4"]}]}}'
    )
    (engine,) = read(gauges=Answer(body)).engines
    assert (engine.id, engine.model, engine.reading.active) == (
        "vllm@127.0.0.1:18000", "tiny-llama", 4,
    )  # fmt: skip


anything: Any = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["status", "data", "result", "resultType", "metric", "value", "figure",
                             "le", "__name__", "instance", "UUID", "GPU_I_ID", "error",
                             "warnings"]),
            inner, max_size=5,
        ),
    ),
    max_leaves=20,
)  # fmt: skip
label_sets = st.dictionaries(
    st.sampled_from(["__name__", "figure", "le", "instance", "job", "UUID", "gpu", "model_name",
                     "mode", "priority", "server", "finished_reason", "GPU_I_ID", "team"]),
    st.sampled_from(["", "a", "+Inf", "0.5", RUNNING, "sglang:num_running_reqs", "ttft",
                     "spend_usd", "requests", "finished", "tgi_batch_current_size",
                     "DCGM_FI_DEV_FB_USED", "litellm_in_flight_requests"]),
)  # fmt: skip


@given(rows=st.lists(st.tuples(label_sets, st.one_of(st.floats(), st.text(max_size=4)))))
def test_any_vector_is_a_fleet(rows: list[tuple[dict[str, str], object]]) -> None:
    """Whatever rows come to whichever query, there is a reading, and no figure is below 0."""
    found = parse(dict.fromkeys(EMPTY, answer(*rows)), "model_name")
    assert isinstance(found, FleetReading)
    for engine in found.engines:
        for figure in (engine.reading.active, engine.reading.queued, engine.reading.kv_cache):
            assert figure is None or figure >= 0
    for device in found.devices:
        assert device.vram_used_bytes is None or device.vram_used_bytes >= 0
        assert device.utilization is None or 0 <= device.utilization <= 1


@given(document=anything)
def test_any_document_is_a_fleet_or_a_failure(document: object) -> None:
    """Nothing that JSON can say raises."""
    import json

    answers = dict.fromkeys(EMPTY, Answer(json.dumps(document).encode()))
    assert isinstance(parse(answers, None), (FleetReading, Failure))
