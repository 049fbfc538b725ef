"""A fleet's server in the collector: its engines beside those read directly, and its silences."""

from tests.collect.pending import pending
from tests.sources.prometheus.asked import AT, EMPTY, answer, of, row
from tests.sources.prometheus.test_fleet import RUNNING
from tokentop.collect.collector import Collector
from tokentop.config.schema import Config, EngineConfig, PrometheusConfig
from tokentop.domain.engines.fleet_readings import FleetReading
from tokentop.domain.engines.readings import EngineReading
from tokentop.domain.readings import Failure
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import Engine
from tokentop.secret import Secret
from tokentop.sources.engines.protocol import Answer
from tokentop.sources.prometheus.fleet import parse

URL = "http://user:hush@prom.example:9090/prometheus"
NOW = 5000.0


def told(**answers: Answer | Failure) -> FleetReading:
    found = parse({**EMPTY, **answers}, "cluster")
    assert isinstance(found, FleetReading)
    return found


FLEET = told(
    gauges=answer(
        row(RUNNING, 3, cluster="c1", model_name="m"),
        row(RUNNING, 4, cluster="c1", model_name="m", instance="b:8000"),
        row("vllm:kv_cache_usage_perc", 0.25, cluster="c1", model_name="m"),
        ({"__name__": "litellm_in_flight_requests", "instance": "r:4000"}, 100),
    ),
    down=answer(row(RUNNING, 9, cluster="c1", model_name="m", instance="gone:8000")),
    ages=answer(
        ({"instance": "a:8000", "job": "vllm", "cluster": "c1"}, AT - 40),
        ({"instance": "b:8000", "job": "vllm", "cluster": "c1"}, AT - 100),
    ),
    rates=answer(
        of("generation_tokens", 5, cluster="c1"),
        ({"figure": "generation_tokens", "instance": "r:4000"}, 1000),
    ),
    latency=answer(of("ttft_p50", 0.25, cluster="c1"), of("ttft_p95", 0.5, cluster="c1")),
    merged=answer(
        ({"figure": "ttft", "le": "1", "model_name": "m"}, 1),
        ({"figure": "ttft", "le": "3", "model_name": "m"}, 3),
    ),
    gpus=answer(
        ({"__name__": "DCGM_FI_DEV_FB_USED", "UUID": "GPU-1", "gpu": "0", "Hostname": "n"}, 1),
        ({"__name__": "DCGM_FI_DEV_FB_FREE", "UUID": "GPU-1", "gpu": "0", "Hostname": "n"}, 3),
    ),
)  # fmt: skip


def collector(url: str = URL, *engines: EngineConfig, host: str = "box") -> Collector:
    prometheus = PrometheusConfig(url, Secret("t"), "/ca.pem", "cluster", False)
    return Collector(Config(prometheus=prometheus, engines=engines), host, demo=False)


def seen(found: Collector, now: float = NOW) -> Snapshot:
    return found.snapshot(now, 1.79e9)


def rows(snapshot: Snapshot) -> dict[str, Engine]:
    return {engine.id: engine for engine in snapshot.engines}


def test_the_server_is_asked_with_its_own_token_and_bundle() -> None:
    """One poll among the engines', bounded in size for a large fleet; no engine is needed."""
    one = collector()
    assert one.has_engines
    (due,) = pending(one.engines(), NOW)
    assert (due.id, due.request.url, due.request.max_bytes) == ("prometheus", URL, 16 * 2**20)
    assert (due.request.ca_bundle, due.request.verify) == ("/ca.pem", False)
    assert due.request.token is not None
    assert len(next(due.protocol)) == 11


def test_its_engines_are_summed_and_its_router_is_not() -> None:
    """Seven run on two engines; what passes through the router is theirs already."""
    one = collector()
    one.engines().record("prometheus", FLEET, NOW, 0.1)
    snapshot = seen(one)
    assert snapshot.llm.active == 7
    assert snapshot.throughput.generation_tokens_per_s == 5
    assert snapshot.throughput.ttft_s == 1.5
    engine = rows(snapshot)["vllm@c1/a:8000"]
    assert (engine.state, engine.source, engine.group) == ("online", "prometheus", "c1")
    assert (engine.ttft_s, engine.ttft_p95_s) == (0.25, 0.5)
    assert rows(snapshot)["litellm@r:4000"].router
    assert [(gpu.uuid, gpu.vram_total_bytes, gpu.source) for gpu in snapshot.gpus] == [
        ("GPU-1", 4 * 2**20, "prometheus")
    ]


def test_the_age_is_that_of_the_figures_and_no_silence() -> None:
    """Scraped 40 s ago and asked 4 s ago is 44 s old and online; five minutes are silence."""
    one = collector()
    one.engines().record("prometheus", FLEET, NOW, 0.1)
    found = rows(seen(one, NOW + 4.0))
    assert (found["vllm@c1/a:8000"].age_s, found["vllm@c1/a:8000"].state) == (44.0, "online")
    late = answer(({"instance": "a:8000", "job": "vllm"}, AT - 280))
    one.engines().record(
        "prometheus", told(gauges=answer(row(RUNNING, 3)), ages=late), NOW + 8, 0.1
    )
    found = rows(seen(one, NOW + 8))
    assert (found["vllm@a:8000"].age_s, found["vllm@a:8000"].state) == (280.0, "offline")


def test_an_engine_that_cannot_be_scraped_is_offline_by_name() -> None:
    """It has no figures, and its row says why."""
    one = collector()
    one.engines().record("prometheus", FLEET, NOW, 0.1)
    gone = rows(seen(one))["vllm@c1/gone:8000"]
    assert (gone.state, gone.model, gone.active) == ("offline", "m", None)
    assert gone.error is not None
    assert "up = 0" in gone.error


def test_the_engines_of_a_silent_server_are_stale() -> None:
    """Every row says what is wrong, no sum has old figures, no secret of the URL is shown."""
    one = collector()
    one.engines().record("prometheus", FLEET, NOW, 0.1)
    one.engines().record("prometheus", Failure("timeout", "no answer"), NOW + 20, None)
    snapshot = seen(one, NOW + 20)
    assert (snapshot.llm.active, snapshot.llm.stale) == (None, True)
    assert rows(snapshot)["vllm@c1/a:8000"].state == "stale"
    assert rows(snapshot)["prometheus"].error == "no answer"
    assert "hush" not in repr(snapshot)


def test_a_server_that_never_answered_is_a_row_with_its_reason() -> None:
    """Locked, refused: the row says so, and nothing is invented."""
    one = collector()
    locked = Failure("auth", "wants a token", True, 401)
    one.engines().record("prometheus", locked, NOW, None)
    snapshot = seen(one)
    (server,) = snapshot.engines
    assert (server.kind, server.state, server.error) == (
        "prometheus",
        "auth-required",
        "wants a token",
    )
    assert snapshot.llm.active is None


def test_what_is_missing_is_in_the_servers_row() -> None:
    """Notes stand there as advice: rates over five minutes, a query that failed, no engine."""
    one = collector()
    one.engines().record("prometheus", told(), NOW, 0.1)
    (server,) = seen(one).engines
    assert server.advice is not None
    assert "no inference engine is known there" in server.advice


def engine(url: str) -> EngineConfig:
    return EngineConfig("mine", url, "vllm")


def test_an_engine_read_directly_is_not_counted_twice() -> None:
    """The same address is the same engine; loopback there is ours only on the same machine."""

    def fleet_of(place: str) -> FleetReading:
        return told(gauges=answer(row(RUNNING, 5, instance=place)))

    local = "http://127.0.0.1:9090"
    cases = (
        (URL, "http://a:8000", "a:8000", True),
        (URL, "http://a:8001", "a:8000", False),
        (URL, "http://127.0.0.1:8000", "box:8000", True),
        (URL, "http://127.0.0.1:8000", "localhost:8000", False),
        (local, "http://127.0.0.1:8000", "localhost:8000", True),
        (local, "http://127.0.0.1:8000", "box:8000", True),
        (URL, "http://127.0.0.1:8000", "other:8000", False),
    )
    for server, direct, scraped, same in cases:
        one = collector(server, engine(direct))
        mine, _ = one.engines().ids()
        one.engines().record(mine, EngineReading("vllm", active=2), NOW, 0.1)
        one.engines().record("prometheus", fleet_of(scraped), NOW, 0.1)
        assert seen(one).llm.active == (2 if same else 7), (server, direct, scraped)


def test_a_large_fleet_is_left_in_peace_and_is_no_staler_for_it() -> None:
    """Two thousand engines are asked every 12 s; in between they are online and their GPUs ok."""
    one = collector()
    many = FLEET._replace(engines=FLEET.engines[:1] * 2000)
    one.engines().record("prometheus", many, NOW, 0.1)
    assert one.engines().poll("prometheus", NOW + 11.9) is None
    assert one.engines().poll("prometheus", NOW + 12.1) is not None
    snapshot = seen(one, NOW + 20)
    assert {engine.state for engine in snapshot.engines} == {"online"}
    assert {gpu.state for gpu in snapshot.gpus} == {"ok"}
    assert {gpu.state for gpu in seen(one, NOW + 30).gpus} == {"stale"}


def test_a_fleet_is_no_stack() -> None:
    """Its GPUs are held like a service's answer, and still nobody has named a base cost."""
    subject = collector()
    subject.engines().record("prometheus", FLEET, NOW, 0.01)
    shown = seen(subject)
    assert [gpu.source for gpu in shown.gpus] == ["prometheus"]
    assert shown.pricing.base_cost_tokens is None
