"""The doctor about engines: each state with what to do, the search, fleets, costs, and calm."""

import time
from pathlib import Path

import pytest

from tests import engine_examples
from tests.box import row
from tests.cli.command import run
from tests.cli.engines import LLAMACPP, SGLANG, VLLM, captured, configuration
from tests.cli.test_engines import env
from tests.servers.behaviours import hanging, status
from tests.servers.loopback import Server
from tokentop.config.load import load
from tokentop.config.schema import Config, EngineConfig, PrometheusConfig
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import Engine
from tokentop.secret import Secret
from tokentop.transport.discovery.candidates import Candidate
from tokentop.transport.discovery.findings import Findings, Found
from tokentop.views.doctor.costs import rows as costs
from tokentop.views.doctor.engines import fleet, sections
from tokentop.views.doctor.search import Survey
from tokentop.views.doctor.search import rows as search

NO_STACK = "none of the seven services answers at its default address"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A runtime directory that is ours alone."""
    tmp_path.chmod(0o700)
    return tmp_path


def doctor(place: Path, *urls: str, more: str = "") -> tuple[int, str]:
    """The report as one line of words, so that folding does not matter, and the exit code."""
    config = configuration(place, *urls, more=more)
    done = run("doctor", "--no-gpus", "--config", config, env=env(place))
    assert done.stderr == ""
    return done.returncode, " ".join(done.stdout.split())


def words(engine: Engine, config: Config | None = None) -> str:
    (section,) = sections(config or Config(), Snapshot(engines=(engine,)), None)
    return " ".join(f"{row.found} {row.todo or ''}" for row in section.rows)


def test_three_engines_and_nothing_else(place: Path) -> None:
    """Each has its address, kind, model, version, slots and their origin; the stack is one line."""
    with captured(VLLM) as vllm, captured(SGLANG) as sglang, captured(LLAMACPP) as llama:
        code, text = doctor(place, vllm.url, sglang.url, llama.url)
    assert code == 0
    for kind, server in (("vllm", vllm), ("sglang", sglang), ("llamacpp", llama)):
        assert f"{kind} {server.url}" in text
    assert text.count("● ok state answers in") == 3
    assert "tiny-llama" in text
    assert "4 of 4 busy" in text
    assert "4 as the server reports" in text
    assert "[[engine]] max_slots" in text  # vLLM's capacity is not to be had
    assert "3 engines" in text
    assert text.count(NO_STACK) == 1
    assert "of 7 services" not in text
    assert "AITHER_STRATA_URL" not in text


def test_a_box_with_nothing_is_calm_too(place: Path) -> None:
    """Nobody configured the stack, so nobody is told seven times that it is not there."""
    code, text = doctor(place)
    assert code == 3
    assert text.count(NO_STACK) == 1
    assert "none is configured, and none was found" in text


def test_a_locked_and_a_hanging_engine_within_three_seconds(place: Path) -> None:
    """Both are told with what to do, in the time that every one-shot view has."""
    with Server(status(401)) as locked, Server(hanging()) as mute, captured(VLLM) as vllm:
        began = time.monotonic()
        code, text = doctor(place, locked.url, mute.url, vllm.url)
        took = time.monotonic() - began
    assert code == 0
    assert "wants a key" in text
    assert "[[engine]] url and token_env" in text
    assert "gave no complete answer within" in text
    assert took < 3.5  # 3 s and the start of a process on a loaded machine


def test_a_found_engine_says_how_it_was_found(place: Path) -> None:
    """The search, its ports, and what is kept of it are told."""
    with captured(VLLM) as server:
        path = place / "search.toml"
        path.write_text(f"[discovery]\nports = [{server.port}]\nexclude = [11434]\n")
        on = {"TOKENTOP_DISCOVERY": "true"}
        done = run("doctor", "--no-gpus", "--config", str(path), env=env(place, **on))
    text = " ".join(done.stdout.split())
    assert f"vllm {server.url}" in text
    assert "found by a usual port" in text
    assert str(server.port) in text.partition("Inference")[0]
    assert "never 11434" in text
    assert "one-line calls use this" in text


@pytest.mark.parametrize("engine", engine_examples.troubled_engines().engines, ids=lambda e: e.id)
def test_every_state_has_words_and_a_way_on(engine: Engine) -> None:
    """Nothing but a well engine is left without advice, its own where it gives any."""
    (section,) = sections(Config(), Snapshot(engines=(engine,)), None)
    state = section.rows[0]
    assert (state.mark == "ok") == (engine.state == "online")
    assert state.todo or engine.state == "online"
    if engine.advice and engine.state != "auth-required":
        assert state.todo == engine.advice


def test_where_the_slots_come_from() -> None:
    """Reported, from the command line, configured, a lower bound, or unknown with what to do."""
    base = row(engine_examples.LLAMA._replace(max_slots=8))
    assert "8 as the server reports" in words(base._replace(slots_source="reported"))
    assert "8 by its command line" in words(base._replace(slots_source="argv"))
    assert "8 as configured" in words(base._replace(slots_source="configured"))
    assert "8 at least" in words(base._replace(slots_source="derived"))
    assert "max_slots" in words(base._replace(max_slots=None, slots_source=None))


@pytest.mark.parametrize(
    ("url", "clear"),
    [("http://gpu-box:8000", True), ("http://127.0.0.1:8000", False), ("https://a", False)],
)
def test_a_key_over_plain_http_is_warned_of(url: str, clear: bool) -> None:
    """Only where it leaves this machine; the key itself is nowhere."""
    named = EngineConfig("chat", url, token=Secret("s3cret"))
    engine = row(engine_examples.LLAMA)._replace(url=url)
    text = words(engine, Config(engines=(named,)))
    assert ("travels over plain HTTP" in text) == clear
    assert "s3cret" not in text


def test_what_the_search_saw() -> None:
    """GPU processes, hidden ones, engines that start, and a search that did not end."""
    starting = Found("vllm", "http://127.0.0.1:8000", (42,), None, "qwen")
    seen = Survey(3, 1, (Candidate("127.0.0.1", 8000, listening=False),))
    text = str(search(Config(), Findings(starting=(starting,), complete=False), seen))
    for part in ("on the GPUs: 3", "the ports of 1 GPU processes", "process 42, qwen", "not end"):
        assert part in text
    (off,) = search(load({"discovery.enabled": False}, {"HOME": "/nonexistent"}, None), None, None)
    assert off.mark == "off"
    assert "--no-discovery" in off.found


def test_a_fleet_server() -> None:
    """Its answer, how many engines it knows, how many of them are silent, and a key in clear."""
    config = Config(prometheus=PrometheusConfig("http://prom:9090", Secret("s3cret")))
    own, *members = engine_examples.fleet(12).engines
    own = own._replace(advice="latency: the server refused a query")
    silent = members[0]._replace(state="offline", name="gpu-7:8000")
    (section,) = fleet(config, Snapshot(engines=(own, silent, *members[1:])))
    text = str(section)
    for part in (
        "http://prom:9090",
        "41 ms",
        "refused a query",
        "12 (",
        "gpu-7:8000",
        "plain HTTP",
    ):
        assert part in text
    assert "s3cret" not in text
    assert fleet(Config(), Snapshot()) == ()
    failed = own._replace(state="offline", error="nothing listens at http://prom:9090")
    (section,) = fleet(config, Snapshot(engines=(failed,)))
    assert section.rows[0].mark == "fail"
    assert "nothing listens" in section.rows[0].found


def test_costs_configured_or_how_to() -> None:
    """Without a price the keys are named; with one, what it comes to."""
    (bare,) = costs(Config(), Snapshot())
    assert bare.mark == "off"
    assert "usd_per_gpu_hour" in (bare.todo or "")
    (priced,) = costs(Config(), engine_examples.priced())
    assert (priced.mark, priced.found) == ("ok", "rented GPUs: $19.20 an hour now")
