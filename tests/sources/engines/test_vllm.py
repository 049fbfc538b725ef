"""vLLM: captured pages, older releases, several engines and models, and every way to be silent."""

import pytest

from tests.sources.engines.conversations import (
    AUTH_REQUIRED,
    LOADING,
    WEB_PAGE,
    Talk,
    captured,
    read,
    text,
)
from tokentop.domain.readings import Failure
from tokentop.sources.engines.protocol import Answer, Hints
from tokentop.sources.engines.vllm import Vllm

REAL = {
    "/metrics": captured("vllm/load/metrics.txt"),
    "/version": captured("vllm/load/version.json"),
    "/v1/models": captured("vllm/load/v1_models.json"),
}


def page(*lines: str) -> dict[str, Answer | Failure]:
    return {"/metrics": text(*lines)}


def test_a_captured_server_under_load() -> None:
    """What the page of a busy vLLM 0.32 says, field by field."""
    reading = read(Vllm().poll(0.0), REAL)
    assert (reading.kind, reading.version, reading.models) == ("vllm", "0.32.0", ("tiny-llama",))
    assert (reading.active, reading.queued) == (4, 8)
    assert reading.kv_cache is not None
    assert 0 < reading.kv_cache <= 1
    assert reading.max_slots is None, "no page tells the slots"
    assert reading.counters.generation_tokens is not None
    assert reading.counters.stop is not None
    assert all(reading.latencies), "this release reports all of them"
    assert reading.latencies.ttft[0].buckets[-1][1]
    assert reading.epoch is not None
    assert (reading.health, reading.router) == ("online", False)


def test_names_and_version_are_asked_seldom() -> None:
    """Only /metrics is read at each poll; the rest once a minute."""
    engine, talk = Vllm(), Talk(REAL)
    for now in (0.0, 4.0, 8.0, 60.0):
        talk.hold(engine.poll(now))
    assert talk.asked.count("/metrics") == 4
    assert talk.asked.count("/version") == talk.asked.count("/v1/models") == 2


def test_data_parallel_engines_add_up_and_their_caches_do_not() -> None:
    """Requests are summed over engines; of the cache figures the highest counts."""
    lines = [
        f'vllm:{name}{{engine="{engine}",model_name="m"}} {value}'
        for engine, values in enumerate(((3, 2, 0.4), (4, 1, 0.7)))
        for name, value in zip(
            ("num_requests_running", "num_requests_waiting", "kv_cache_usage_perc"),
            values,
            strict=True,
        )
    ]
    lines += [
        f'vllm:num_requests_waiting_by_reason{{engine="{e}",reason="capacity"}} {n}'
        for e, n in ((0, 2), (1, 1))
    ]
    reading = read(Vllm().poll(0.0), page(*lines))
    assert (reading.active, reading.queued, reading.kv_cache) == (7, 3, 0.7)


def test_several_models_on_one_server() -> None:
    """Their figures add up, and every name is known without /v1/models."""
    reading = read(
        Vllm().poll(0.0),
        page(
            'vllm:num_requests_running{engine="0",model_name="a"} 1',
            'vllm:num_requests_running{engine="0",model_name="b"} 2',
            'vllm:generation_tokens_total{engine="0",model_name="a"} 10',
            'vllm:generation_tokens_total{engine="0",model_name="b"} 30',
        ),
    )
    assert (reading.models, reading.active) == (("a", "b"), 3)
    assert reading.counters.generation_tokens == 40


@pytest.mark.parametrize(
    "lines",
    [
        ('vllm:gpu_cache_usage_perc{model_name="m"} 0.25',),
        (
            'vllm:gpu_cache_usage_perc{engine="0",model_name="m"} 0.25',
            'vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25',
        ),
    ],
)
def test_older_names(lines: tuple[str, ...]) -> None:
    """Releases before 0.9 (and those that say it twice) tell the cache and the pace as well."""
    reading = read(
        Vllm().poll(0.0),
        page(
            *lines,
            'vllm:num_requests_running{model_name="m"} 1',
            'vllm:time_per_output_token_seconds_bucket{model_name="m",le="0.1"} 2',
            'vllm:time_per_output_token_seconds_bucket{model_name="m",le="+Inf"} 3',
            'vllm:gpu_prefix_cache_queries_total{model_name="m"} 9',
            'vllm:gpu_prefix_cache_hits_total{model_name="m"} 4',
        ),
    )
    assert reading.kv_cache == 0.25
    assert reading.latencies.itl
    assert (reading.counters.prefix_queries, reading.counters.prefix_hits) == (9, 4)
    assert reading.queued is None, "a missing series is unknown, not 0"
    assert reading.counters.preemptions is None


def test_timestamps_of_creation_are_no_counts() -> None:
    """`_created` series are unix times."""
    reading = read(
        Vllm().poll(0.0),
        page(
            'vllm:num_requests_running{model_name="m"} 1',
            'vllm:request_success_created{finished_reason="stop",model_name="m"} 1.79e9',
            'vllm:request_success_total{finished_reason="stop",model_name="m"} 2',
            'vllm:request_success_total{finished_reason="error",model_name="m"} 1',
        ),
    )
    assert reading.counters.requests == 3
    assert (reading.counters.stop, reading.counters.error) == (2, 1)
    assert reading.counters.abort is None


def test_blind() -> None:
    """Statistics disabled: 200 without one vllm: line is no idle server."""
    table = {**REAL, "/metrics": text("python_info 1", "http_requests_total 4")}
    reading = read(Vllm().poll(0.0), table)
    assert reading.health == "no-metrics"
    assert (reading.active, reading.queued, reading.model) == (None, None, "tiny-llama")
    assert "--disable-log-stats" in (reading.advice or "")


def test_asleep() -> None:
    """A sleeping model is told from an idle one."""
    state = 'vllm:engine_sleep_state{{engine="0",sleep_state="{}"}} {}'
    running = 'vllm:num_requests_running{engine="0",model_name="m"} 0'

    def health(awake: int) -> str:
        lines = [state.format("awake", awake), state.format("weights_offloaded", 1 - awake)]
        return read(Vllm().poll(0.0), page(running, *lines)).health

    assert (health(0), health(1)) == ("asleep", "online")


def test_locked_names_do_not_hide_the_metrics() -> None:
    """With an API key /v1/models is refused and /metrics is not: the name comes from there."""
    reading = read(Vllm().poll(0.0), {**REAL, "/v1/models": AUTH_REQUIRED})
    assert (reading.health, reading.models) == ("online", ("tiny-llama",))


@pytest.mark.parametrize(
    ("answer", "health"), [(AUTH_REQUIRED, "auth-required"), (LOADING, "starting")]
)
def test_refused_metrics(answer: Failure, health: str) -> None:
    """A proxy that wants a key, and a server that is not up yet, are shown as that."""
    assert read(Vllm().poll(0.0), {"/metrics": answer}).health == health


def test_a_web_page_is_no_metrics_page() -> None:
    """200 with HTML is a failure, not a blind engine."""
    result = Talk({"/metrics": WEB_PAGE}).hold(Vllm().poll(0.0))
    assert isinstance(result, Failure)
    assert result.kind == "bad-data"


def test_the_router_names_its_backends() -> None:
    """`server` labels are a router's: never added to the engines it names."""
    reading = read(
        Vllm().poll(0.0),
        page(
            'vllm:num_requests_running{server="http://10.0.0.1:8000"} 2',
            'vllm:num_requests_running{server="http://user:pw@10.0.0.2:8000/v1"} 1',
        ),
    )
    assert reading.router
    assert reading.backends == ("http://10.0.0.1:8000", "http://10.0.0.2:8000")
    assert reading.active == 3


def served(running: int, waiting: int, cache: float) -> dict[str, Answer | Failure]:
    return page(
        f'vllm:num_requests_running{{model_name="m"}} {running}',
        f'vllm:num_requests_waiting{{model_name="m"}} {waiting}',
        f'vllm:kv_cache_usage_perc{{model_name="m"}} {cache}',
    )


def test_seats_are_derived_from_several_readings_only() -> None:
    """The most seen running while others waited and the cache had room, never from one look."""
    engine, found = Vllm(), []
    for now, seen in enumerate([(8, 1, 0.5), (6, 2, 0.5), (9, 3, 0.99), (8, 4, 0.2), (0, 0, 0.0)]):
        reading = read(engine.poll(float(now)), served(*seen))
        found.append((reading.max_slots, reading.slots_source))
    assert found[:3] == [(None, None)] * 3, "a full cache proves nothing about the slots"
    assert found[3:] == [(8, "derived")] * 2


def test_an_idle_server_never_has_zero_seats() -> None:
    """0 running while requests wait (between a preemption and the next step) is no bound."""
    engine = Vllm()
    for now in range(5):
        reading = read(engine.poll(float(now)), served(0, 7, 0.0))
    assert (reading.max_slots, reading.slots_source) == (None, None)


@pytest.mark.parametrize(
    ("hints", "expected"),
    [
        (Hints(configured_slots=5, argv_slots=7), (7, "argv")),
        (Hints(configured_slots=5), (5, "configured")),
        (Hints(), (None, None)),
    ],
)
def test_the_best_word_on_seats(hints: Hints, expected: tuple[int | None, str | None]) -> None:
    """The command line is believed before the user, and what the cache could hold never."""
    lines = 'vllm:cache_config_info{kv_cache_max_concurrency="99.0"} 1', *()
    table = page('vllm:num_requests_running{model_name="m"} 1', *lines)
    reading = read(Vllm(hints).poll(0.0), table)
    assert (reading.max_slots, reading.slots_source) == expected


GIB = 2**30


@pytest.mark.parametrize(
    ("labels", "hints", "size"),
    [
        (("8589934592",), Hints(), 8 * GIB),
        (("8589934592", "8589934592"), Hints(), 8 * GIB),
        (("8589934592",), Hints(kv_gpu_bytes=GIB), 8 * GIB),
        (("None",), Hints(kv_gpu_bytes=GIB), GIB),
        ((), Hints(kv_gpu_bytes=GIB), GIB),
        (("None",), Hints(), None),
        (("8589934592", "4294967296"), Hints(), None),
        (("8589934592", "None"), Hints(), None),
        (("0",), Hints(), None),
        (("-5",), Hints(), None),
    ],
)
def test_the_size_of_the_kv_cache_on_each_gpu(
    labels: tuple[str, ...], hints: Hints, size: int | None
) -> None:
    """The server's own word before its command line's; unknown where its engines differ."""
    rows = (
        f'vllm:cache_config_info{{engine="{i}",kv_cache_memory_bytes="{label}"}} 1'
        for i, label in enumerate(labels)
    )
    table = page('vllm:num_requests_running{model_name="m"} 1', *rows)
    assert read(Vllm(hints).poll(0.0), table).kv_gpu_bytes == size
