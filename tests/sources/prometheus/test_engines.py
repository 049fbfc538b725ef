"""Scraped series -> engines: the same truths as when they are read directly."""

from typing import Any

import pytest

from tests.sources.prometheus.asked import AT, answer, of, read, row
from tokentop.domain.engines.readings import TeamSpend
from tokentop.sources.prometheus.queries import queries

RUNNING = "vllm:num_requests_running"
RED = {"instance": "r", "team_alias": "red", "api_key_alias": "k"}


def test_a_vllm_server_is_summed_over_its_engines() -> None:
    """Running and waiting add up, KV usage does not; the older name stands in where alone."""
    found = read(
        gauges=answer(
            row(RUNNING, 3, engine="0", model_name="m"),
            row(RUNNING, 4, engine="1", model_name="m"),
            row("vllm:num_requests_waiting", 1, engine="0", model_name="m"),
            row("vllm:kv_cache_usage_perc", 0.5, engine="0", model_name="m"),
            row("vllm:kv_cache_usage_perc", 0.7, engine="1", model_name="m"),
            row("vllm:gpu_cache_usage_perc", 0.9, engine="0", model_name="m"),
        ),
        ages=answer(({"instance": "a:8000", "job": "vllm"}, AT - 7.5)),
    )
    (engine,) = found.engines
    assert (engine.kind, engine.instance, engine.model, engine.up) == ("vllm", "a:8000", "m", True)
    reading = engine.reading
    assert (reading.active, reading.queued, reading.kv_cache) == (7, 1, 0.7)
    assert engine.age_s == 7.5
    assert not reading.router


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "9.3e18", "x", "", "-1"])
def test_no_measurement_is_unknown_and_not_0(value: str) -> None:
    """What is no count leaves the engine there, its figure unknown, and named as unusable."""
    found = read(gauges=answer(row(RUNNING, value), row("vllm:num_requests_waiting", 0)))
    (engine,) = found.engines
    assert (engine.reading.active, engine.reading.queued) == (None, 0)
    assert engine.reading.kv_cache is None
    is_number = value not in ("x", "")
    assert engine.reading.bad == (("active",) if is_number else ())


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1", "9.3e18"])
def test_a_rate_that_is_none_is_unknown_and_named(value: str) -> None:
    """-1 tok/s is shown nowhere; the rest of the target stands."""
    (engine,) = read(
        gauges=answer(row(RUNNING, 3)),
        rates=answer(of("generation_tokens", value), of("prompt_tokens", 5)),
    ).engines
    assert engine.rates.generation_tokens_per_s is None
    assert engine.rates.prompt_tokens_per_s == 5
    assert engine.reading.bad == ("generation_tokens",)


def test_a_label_that_is_no_text_costs_its_row() -> None:
    """The fleet stands, and its server's row says how many rows are left out."""
    odd: Any = {**row(RUNNING, 9)[0], "instance": 7, "model_name": ["x"]}
    found = read("cluster", gauges=answer((odd, 9), row(RUNNING, 3)))
    assert [engine.reading.active for engine in found.engines] == [3]
    assert found.notes[0].startswith("1 rows of the server's answers are left out")


def test_two_kinds_of_engines_on_one_target() -> None:
    """Whose a rate is cannot be known: no figure of that target, and the others are whole."""
    found = read(
        gauges=answer(
            row(RUNNING, 3), row("sglang:num_running_reqs", 4), row(RUNNING, 5, instance="b:1")
        ),
        rates=answer(of("generation_tokens", 50), of("generation_tokens", 7, instance="b:1")),
    )
    mixed, whole = found.engines
    assert (mixed.kind, mixed.mixed, mixed.reading.active) == ("vllm", ("sglang",), None)
    assert mixed.rates.generation_tokens_per_s is None
    assert (whole.reading.active, whole.rates.generation_tokens_per_s) == (5, 7)


def test_sglang_ranks_are_collapsed_and_priorities_not_added() -> None:
    """The total row counts, the highest of each data-parallel rank, added."""

    def own(dp: str, **more: str) -> dict[str, str]:
        return {"job": "s", "instance": "s:1", "model_name": "m", "dp_rank": dp, **more}

    name = "sglang:num_running_reqs"
    found = read(
        gauges=answer(
            ({"__name__": name, **own("0")}, 4),
            ({"__name__": name, **own("0", priority="1")}, 3),
            ({"__name__": name, **own("0", priority="2")}, 1),
            ({"__name__": name, **own("1")}, 4),
            ({"__name__": "sglang:gen_throughput", **own("0")}, 10),
            ({"__name__": "sglang:gen_throughput", **own("1")}, 12),
        )
    )
    (engine,) = found.engines
    assert (engine.kind, engine.reading.active) == ("sglang", 8)
    assert engine.reading.generation_tokens_per_s == 22


def test_live_tokens_are_not_added_to_those_of_finished_requests() -> None:
    """SGLang counts the same tokens while they are made and at the end: the live ones win."""
    found = read(
        gauges=answer(row("sglang:num_running_reqs", 1)),
        rates=answer(
            of("live_generation_tokens", 20), of("generation_tokens", 19),
            of("live_prompt_tokens", 40), of("prompt_tokens", 39),
        ),
        events=answer(of("prefix_hits", 10), of("prefix_queries", 40)),
    )  # fmt: skip
    rates = found.engines[0].rates
    assert (rates.generation_tokens_per_s, rates.prompt_tokens_per_s) == (20, 40)
    assert (rates.window.prefix_hits, rates.window.prefix_queries) == (600, 2400)


def test_tgi_and_llamacpp_without_labels_of_their_own() -> None:
    """Their instance is all that tells them apart; TGI's token budget is an estimate of KV."""

    def of(name: str, value: float, instance: str) -> tuple[dict[str, str], object]:
        return {"__name__": name, "instance": instance}, value

    found = read(
        gauges=answer(
            of("tgi_batch_current_size", 6, "t"), of("tgi_queue_size", 2, "t"),
            of("tgi_batch_current_max_tokens", 50, "t"), of("tgi_batch_max_total_tokens", 200, "t"),
            of("llamacpp:requests_processing", 2, "l"), of("llamacpp:requests_deferred", 1, "l"),
        )
    )  # fmt: skip
    llama, tgi = found.engines
    assert (llama.id, llama.reading.active, llama.reading.queued) == ("llamacpp@l", 2, 1)
    assert (tgi.id, tgi.reading.active, tgi.reading.queued) == ("tgi@t", 6, 2)
    assert (tgi.reading.kv_cache, tgi.reading.kv_estimated) == (0.25, True)


def test_a_triton_with_a_vllm_backend_is_one_engine() -> None:
    """Its page has vLLM's series too; models and versions add up, and it is no vLLM."""
    own = {"instance": "t:8002", "job": "t", "version": "1"}
    found = read(
        gauges=answer(
            ({"__name__": "vllm:num_requests_running", **own, "model": "a"}, 2),
            ({"__name__": "vllm:num_requests_running", **own, "model": "b"}, 3),
            ({"__name__": "nv_inference_pending_request_count", **own, "model": "a"}, 0),
            ({"__name__": "nv_inference_pending_request_count", **own, "model": "b"}, 0),
            ({"__name__": "vllm:num_requests_waiting", **own, "model": "b"}, 4),
        )
    )
    (engine,) = found.engines
    assert (engine.kind, engine.reading.models) == ("triton", ("a", "b"))
    assert (engine.reading.active, engine.reading.queued) == (5, 4)


def test_routers_are_marked_and_not_added() -> None:
    """LiteLLM, and vLLM series that carry a server, are routers; the scrape itself is no load."""
    found = read(
        gauges=answer(
            row(RUNNING, 3, server="http://a:1/x"), row(RUNNING, 4, server="http://b:2"),
            ({"__name__": "litellm_in_flight_requests", "instance": "r"}, 1),
        ),
        totals=answer(
            ({"figure": "spend_usd", **RED}, 3.5),
            ({"figure": "spend_tokens", **RED}, 90),
            ({"figure": "spend_usd", "instance": "r", "team": "t7", "team_alias": "None"}, 4.5),
        ),
    )  # fmt: skip
    router, litellm = found.engines
    assert litellm.reading.router
    assert router.reading.router
    assert router.reading.backends == ("http://a:1", "http://b:2")
    assert litellm.reading.active == 0
    assert litellm.reading.spend == (TeamSpend("t7", "", 4.5), TeamSpend("red", "k", 3.5, 90))


def test_an_older_litellm_is_known_by_its_accounts() -> None:
    """Without any gauge it is there all the same, and what it runs is unknown."""
    found = read(totals=answer(({"figure": "spend_usd", "instance": "r", "team": "red"}, 3.5)))
    (engine,) = found.engines
    assert (engine.kind, engine.reading.active, engine.reading.router) == ("litellm", None, True)


def test_an_engine_that_cannot_be_scraped_is_down_without_figures() -> None:
    """Its last figures are no figures of now, and its rates neither."""
    found = read(
        gauges=answer(row(RUNNING, 1)),
        down=answer(row(RUNNING, 5, instance="b:8000", model_name="m")),
        rates=answer(of("generation_tokens", 9, instance="b:8000"), of("generation_tokens", 7)),
    )
    one, other = found.engines
    assert (one.up, one.rates.generation_tokens_per_s) == (True, 7)
    assert (other.up, other.model, other.reading.active) == (False, "m", None)
    assert other.rates.generation_tokens_per_s is None


def test_the_same_address_in_two_clusters_or_jobs_is_two_engines() -> None:
    """Federated fleets repeat private addresses; ids stay unique."""
    found = read(
        gauges=answer(
            row(RUNNING, 1, cluster="x"), row(RUNNING, 2, cluster="y"), row(RUNNING, 3, job="other")
        )
    )
    assert sorted(engine.reading.active or 0 for engine in found.engines) == [1, 2, 3]
    assert len({engine.id for engine in found.engines}) == 3
    two_jobs = read(gauges=answer(row(RUNNING, 1), row(RUNNING, 3, job="other")))
    assert {engine.id for engine in two_jobs.engines} == {"vllm@a:8000", "vllm@a:8000#2"}


def test_labels_that_the_server_renamed() -> None:
    """A series' own label stands behind exported_ where its target has one of that name."""
    found = read(
        gauges=answer(
            row(RUNNING, 2, model_name="target", exported_model_name="real", engine="prod",
                exported_engine="0", exported_instance="real:1"),
        )
    )  # fmt: skip
    (engine,) = found.engines
    assert (engine.model, engine.instance, engine.id) == ("real", "real:1", "vllm@real:1")


@pytest.mark.parametrize(
    ("group_by", "groups"),
    [(None, [None, None]), ("region", ["eu", "us"]), ("model_name", ["m1, m2", "m3"])],
)
def test_groups(group_by: str | None, groups: list[str | None]) -> None:
    """By a target's label, or by a series' own: then several models are one group of both."""
    found = read(
        group_by,
        gauges=answer(
            row(RUNNING, 1, region="eu", model_name="m1"),
            row(RUNNING, 1, region="eu", model_name="m2"),
            row(RUNNING, 1, region="us", model_name="m3", instance="b:8000"),
        ),
    )
    assert [engine.group for engine in found.engines] == groups
    assert [engine.reading.active for engine in found.engines] == [2, 1]


def test_events_over_the_window() -> None:
    """Rates of events become counts over the window; what is not said stays unknown."""
    found = read(
        window_s=300,
        gauges=answer(row(RUNNING, 1)),
        rates=answer(of("requests", 2)),
        events=answer(
            of("finished", 1.5, finished_reason="stop"), of("finished", 0, finished_reason="abort"),
            of("finished", 0.5, finished_reason="length"), of("preemptions", 0),
            of("prefix_hits", 3), of("prefix_queries", 4),
        ),
        latency=answer(of("ttft_p50", 0.25), of("ttft_p95", 0.5), of("itl_p50", "NaN")),
        totals=answer(of("preemptions_total", 5), of("finished_total", 70, finished_reason="stop")),
    )  # fmt: skip
    (engine,) = found.engines
    window = engine.rates.window
    assert (window.stop, window.length, window.abort, window.error) == (450, 150, 0, None)
    assert (window.requests, window.preemptions, window.rejections) == (600, 0, None)
    assert (window.prefix_hits, window.prefix_queries) == (900, 1200)
    assert (engine.latencies.ttft, engine.latencies.itl) == ((0.25, 0.5, None), (None,) * 3)
    assert (engine.reading.counters.preemptions, engine.reading.counters.stop) == (5, 70)
    assert engine.reading.counters.length is None


def test_histograms_are_merged_by_model_and_group() -> None:
    """Each set of labels is one histogram in rising order, and belongs to no engine."""
    found = read(
        merged=answer(
            ({"figure": "ttft", "le": "+Inf", "model_name": "m"}, 4),
            ({"figure": "ttft", "le": "0.5", "model_name": "m"}, 3),
            ({"figure": "ttft", "le": "1", "model_name": "n"}, 1),
            ({"figure": "itl", "le": "bad", "model_name": "n"}, 1),
        )
    )
    assert [each.buckets for each in found.latencies.ttft] == [
        ((0.5, 180), (float("inf"), 240)),
        ((1, 60),),
    ]
    assert found.latencies.itl == ()
    assert found.engines == ()


def test_a_model_asleep() -> None:
    """A vLLM model that was put to sleep is not idle."""
    found = read(
        gauges=answer(row(RUNNING, 0), row("vllm:engine_sleep_state", 0, sleep_state="awake"))
    )
    assert found.engines[0].reading.health == "asleep"
    assert found.engines[0].reading.advice


def test_remote_names_are_made_safe() -> None:
    """Escape sequences in labels reach no screen."""
    evil = "x\x1b[31m\u202e"
    found = read("zone", gauges=answer(row(RUNNING, 1, model_name=evil, zone=evil, pod=evil)))
    for text in (found.engines[0].model, found.engines[0].group, found.engines[0].instance):
        assert text is not None
        assert text.isprintable()


@pytest.mark.parametrize("kind", ["vllm", "sglang", "llamacpp"])
def test_a_colon_that_was_escaped_on_the_wire_is_the_same_series(kind: str) -> None:
    """Python's client writes `sglang_num_running_reqs` to a server that wants OpenMetrics."""
    names = {
        "vllm": ("vllm_num_requests_running", "vllm_num_requests_waiting"),
        "sglang": ("sglang_num_running_reqs", "sglang_num_queue_reqs"),
        "llamacpp": ("llamacpp_requests_processing", "llamacpp_requests_deferred"),
    }
    running, waiting = names[kind]
    (engine,) = read(gauges=answer(row(running, 3), row(waiting, 2))).engines
    assert (engine.kind, engine.reading.active, engine.reading.queued) == (kind, 3, 2)
    asked = dict(queries(None))
    assert running.replace("_", "[:_]", 1) in asked["gauges"]
    assert all(
        f"timestamp({name})" in asked["ages"]
        for name in (running, f"{kind}:{running[len(kind) + 1 :]}")
    )
