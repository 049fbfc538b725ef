"""Engines in the one-shot views: configured or found, with rates from the call before."""

import json
import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import CompletedProcess
from threading import Event
from typing import Any

import pytest

from tests.cli.command import Terminal, environment, in_process, in_terminal, run, started
from tests.cli.engines import LLAMACPP, SGLANG, VLLM, captured, configuration
from tests.payloads import payload
from tests.servers.loopback import Server

Call = Callable[..., CompletedProcess[str]]

COST = "[cost]\nusd_per_gpu_hour = 2.0\ngpus = 2\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A runtime directory that is ours alone, as the system makes it."""
    tmp_path.chmod(0o700)
    return tmp_path


def env(place: Path, **more: str) -> dict[str, str]:
    """No stack is configured: a box with nothing but engines."""
    bare = {key: value for key, value in environment().items() if not key.startswith("AITHER_")}
    return {**bare, "XDG_RUNTIME_DIR": str(place), **more}


def snapshot(place: Path, *urls: str, more: str = "", call: Call = in_process) -> Any:
    config = configuration(place, *urls, more=more)
    done = call("--json", "--no-gpus", "--config", config, env=env(place))
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def one_of_many(place: Path, *urls: str, more: str = "") -> Any:
    """A process of its own: calls within one may be 8 ms apart, too near each other for a rate."""
    return snapshot(place, *urls, more=more, call=run)


def test_three_kinds_of_engines_are_one_picture(place: Path) -> None:
    """Sums that say they are partial, the fullest KV cache, the serving profile, no request price.

    Compared with what the captured servers had said.
    """
    with captured(VLLM) as vllm, captured(SGLANG) as sglang, captured(LLAMACPP) as llama:
        shown = snapshot(place, vllm.url, sglang.url, llama.url)
    llm, demand = shown["llm"], shown["demand"]
    assert (llm["active"], llm["queued"], llm["max_slots"]) == (12, 14, 8)
    assert (llm["partial"], llm["source"], llm["models"]) == (True, "engines", ["tiny-llama"])
    assert (demand["profile"], demand["tier"]) == ("serving", "saturated")
    assert shown["pricing"]["base_cost_tokens"] is None
    assert [e["kind"] for e in shown["engines"]] == ["vllm", "sglang", "llamacpp"]
    assert [e["max_slots"] for e in shown["engines"]] == [None, 4, 4]
    assert {e["state"] for e in shown["engines"]} == {"online"}
    assert [s["kind"] for s in shown["services"][-3:]] == ["vllm", "sglang", "llamacpp"]


def test_the_second_call_has_rates(place: Path) -> None:
    """From the counters that the first call left, in a file that nobody else can read."""
    with captured(VLLM) as server:
        first = one_of_many(place, server.url, more=COST)
        second = one_of_many(place, server.url, more=COST)
    assert first["throughput"]["generation_tokens_per_s"] is None
    assert second["throughput"]["generation_tokens_per_s"] == 0.0
    assert (second["pricing"]["usd_per_hour"], second["cost"]["measured_s"] > 0) == (4.0, True)
    (kept,) = (place / "tokentop").glob("state-*.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_calls_with_different_engines_leave_each_other_their_rates(place: Path) -> None:
    """A status bar of one server and one of another do not make each other forget."""
    with captured(VLLM) as one, captured(SGLANG) as two:
        one_of_many(place, one.url)
        one_of_many(place, two.url)
        (engine,) = one_of_many(place, one.url)["engines"]
    assert engine["prompt_tokens_per_s"] is not None


def test_a_restart_between_two_calls_gives_no_rate(place: Path) -> None:
    """Counters that fell are a new baseline."""
    page = payload("vllm/load/metrics.txt").decode().splitlines()
    zero = [
        line.rpartition(" ")[0] + " 0" if "tokens_total" in line and line[0] != "#" else line
        for line in page
    ]
    changed: dict[str, bytes] = {}
    with captured(VLLM, changed) as server:
        one_of_many(place, server.url)
        changed["/metrics"] = "\n".join(zero).encode()
        shown = one_of_many(place, server.url)
    assert shown["throughput"]["generation_tokens_per_s"] is None


def test_template_names_of_engines_and_costs(place: Path) -> None:
    """The line can say what JSON says."""
    names = "{engines} {kv:.2f} {usd_hour:.2f} {usd_mtok} {usd_mtok_busy} {ttft} {itl} {gen_tps}"
    with captured(SGLANG) as server:
        config = configuration(place, server.url, more=COST)
        done = run("--format", names, "--no-gpus", "--config", config, env=env(place))
    assert done.returncode == 0
    assert done.stdout.split()[:3] == ["1", "0.14", "4.00"]


def test_a_port_that_never_answers_delays_nothing(place: Path) -> None:
    """It accepts and sends nothing: its row says so, the other engine is there in time."""
    with Server(lambda connection: connection.pause() or False) as mute, captured(VLLM) as server:
        shown = snapshot(place, mute.url, server.url)
    assert [e["state"] for e in shown["engines"]] == ["offline", "online"]
    assert f"{mute.url} gave no complete answer within" in shown["engines"][0]["error"]
    assert shown["llm"]["active"] == 4


def test_a_web_page_alone_is_no_engine(place: Path) -> None:
    """The row says so, and nothing is live."""
    page = b"<!doctype html><title>Sign in</title>"
    pages = dict.fromkeys(("/metrics", "/version", "/v1/models"), "vllm/load/version.json")
    with captured(pages, **{name[1:]: page for name in pages}) as server:
        config = configuration(place, server.url)
        done = run("--json", "--no-gpus", "--config", config, env=env(place))
    (engine,) = json.loads(done.stdout)["engines"]
    assert done.returncode == 3
    assert (engine["state"], engine["kind"]) == ("bad-data", "unknown")
    assert "no inference engine" in engine["error"]


def searching(place: Path, port: int) -> list[str]:
    """A configuration that looks for engines at one port more."""
    path = place / "search.toml"
    path.write_text(f"[discovery]\nports = [{port}]\n")
    return ["--json", "--no-gpus", "--config", str(path)]


def seen(words: list[str], place: Path, **more: str) -> dict[str, str]:
    """The state of each engine that a call shows, by its URL."""
    done = run(*words, env=env(place, TOKENTOP_DISCOVERY="true", **more))
    return {e["url"]: e["state"] for e in json.loads(done.stdout)["engines"]}


def known(words: list[str], server: Server, place: Path, **more: str) -> set[str]:
    """What the engine is asked once a call knows it without a search.

    A search has 300 ms of the wall clock, beside whatever else listens and starts on this
    machine: one that was too short is made again by the next call.
    """
    for _ in range(10):
        server.asked = []
        states = seen(words, place, **more)
        asked = {each.path for each in server.asked}
        if states.get(server.url) == "online" and asked <= {"/metrics", "/version", "/v1/models"}:
            return asked
    raise AssertionError(f"ten calls did not find {server.url}: the last saw {states}")


def test_an_engine_is_found_and_found_again_without_a_search(place: Path) -> None:
    """What one call finds the next one asks at once; told not to look, none asks it."""
    with captured(VLLM) as server:
        words = searching(place, server.port)
        assert "/metrics" in known(words, server, place)
        server.asked = []
        run(*words, "--no-discovery", env=env(place, TOKENTOP_DISCOVERY="true"))
        assert server.asked == []


def without_neighbours(server: Server, place: Path) -> None:
    """Leave of what a search found this engine alone, as on a box that runs nothing else.

    Where some other program here is slow, or ends, the next call would search at once.
    """
    file = place / "tokentop" / "discovery.json"
    document = json.loads(file.read_text())
    found = [row for row in document["value"]["found"] if server.url in row]
    document["value"] |= {"found": found, "complete": True, "configured": []}
    file.write_text(json.dumps(document))


def test_a_found_engine_that_is_gone_is_searched_for(place: Path) -> None:
    """The call that misses it says so; a later one looks where it is now."""
    with captured(VLLM) as old:
        known(searching(place, old.port), old, place)
        without_neighbours(old, place)
    with captured(VLLM) as new:
        words = searching(place, new.port)
        assert seen(words, place)[old.url] == "offline"
        known(words, new, place)
        assert old.url not in seen(words, place)


def test_no_key_is_sent_to_a_found_engine(place: Path) -> None:
    """A token of one engine is no other's, wherever it listens."""
    secret = os.urandom(8).hex()
    with captured(VLLM) as mine, captured(VLLM) as found:
        words = searching(place, found.port)
        with open(words[-1], "a") as file:
            file.write(f'[[engine]]\nurl = "{mine.url}"\ntoken_env = "KEY"\n')
        known(words, found, place, KEY=secret)
        assert {each.headers.get("authorization") for each in mine.asked} == {f"Bearer {secret}"}
        assert {each.headers.get("authorization") for each in found.asked} == {None}


def screen_on(words: list[str], place: Path) -> AbstractContextManager[Terminal]:
    return in_terminal(*words[1:], env=env(place, TOKENTOP_DISCOVERY="true"), columns=120)


def check(words: list[str], place: Path) -> tuple[int, str]:
    done = run("--check", *words[1:], env=env(place, TOKENTOP_DISCOVERY="true"))
    return done.returncode, done.stdout.partition("│")[0].strip()


@pytest.mark.parametrize("after", ["its end", "its last snapshot is too old"])
def test_a_line_misses_the_engine_that_a_screen_has_seen(place: Path, after: str) -> None:
    """No other line has ever seen it."""
    with captured(VLLM) as server, screen_on(searching(place, server.port), place) as screen:
        screen.until("tiny-llama")
        left = (place / "tokentop").glob
        for _ in range(1000):
            if any('"read_before": true' in file.read_text() for file in left("state-*.json")):
                break
            Event().wait(0.01)
        server.close()
        if after == "its end":
            screen.press("q")
            assert screen.end() == 0
        for file in left("snapshot-*.json"):
            file.unlink()
        assert check(searching(place, server.port), place) == (2, "DOWN tiny-llama")


def test_a_line_misses_the_engine_that_a_watch_has_seen(place: Path) -> None:
    with captured(VLLM) as server:
        words = searching(place, server.port)
        there = env(place, TOKENTOP_DISCOVERY="true")
        with started("--json", "--watch", *words[1:], env=there) as watch:
            assert watch.stdout is not None
            assert any(server.url in line for line in watch.stdout)
            watch.kill()
    assert check(words, place) == (2, "DOWN tiny-llama")


def test_a_screen_misses_the_engine_that_a_line_has_seen(place: Path) -> None:
    """It says what the lines say that still run in a status bar."""
    with captured(VLLM) as server:
        words = searching(place, server.port)
        known(words, server, place)
    with screen_on(words, place) as screen:
        screen.until("tiny-llama is down")
