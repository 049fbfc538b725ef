"""The search over real processes and real loopback sockets."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.behaviours import (
    Behaviour,
    gated,
    hanging,
    ok,
    raw,
    redirect_loop,
    resetting,
    routes,
    status,
)
from tests.servers.loopback import Server
from tests.transport.discovery import engines
from tests.transport.discovery.recorded import HERE, Tree
from tokentop.transport.discovery.candidates import SearchScope, candidates
from tokentop.transport.discovery.findings import Found
from tokentop.transport.discovery.probe_cache import TTL_NO_ANSWER_S, TTL_OTHER_S, ProbeCache
from tokentop.transport.discovery.search import Findings, find
from tokentop.transport.discovery.search_async import find_async
from tokentop.transport.http.messages import Request

NOW = 1_800_000_000.0
LONG_S = 5.0  # never reached: a search ends with its last answer
SOON_S = 0.15

OTHERS: dict[str, Behaviour] = {
    "web application": engines.web_app(),
    "redirecting": engines.redirecting_everything(),
    "redirecting in a circle": redirect_loop(),
    "prometheus": engines.answering(engines.PROMETHEUS),
    "nvitop exporter": engines.answering(engines.NVITOP),
    "nothing found": engines.answering({}),
    "another protocol": raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "hangs up": resetting(),
    "endless": ok(b"x" * (2 * 2**20)),
}


def among(tree: Tree, *servers: Server, **more: object) -> SearchScope:
    """A search at these servers' ports alone; what else this machine runs is no concern."""
    rows = [("127.0.0.1", s.port, 1000 + at, 0) for at, s in enumerate(servers)]
    tree.listen(HERE, *rows)
    search = SearchScope(usual=tuple(s.port for s in servers), root=str(tree.root))
    return search._replace(**more)  # type: ignore[arg-type]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def mine(findings: Findings, pid: int) -> Found:
    """The row of the family that this process belongs to; others' engines may run here too."""
    (only,) = [one for one in findings.found if pid in one.pids]
    return only


def test_an_engine_and_its_processes(tmp_path: Path) -> None:
    """The worker holds the GPU; the row has the server's port, model, slots and processes."""
    arguments = ["serve", "tiny", "--max-num-seqs", "12"]
    with engines.launched(
        tmp_path, "vllm", engines.VLLM, arguments, worker=["VLLM::Worker_TP0"]
    ) as engine:
        found = mine(
            find(SearchScope((engine.worker,), usual=()), ProbeCache(), NOW, LONG_S), engine.worker
        )
    assert found == Found(
        "vllm",
        f"http://127.0.0.1:{engine.port}",
        (engine.server, engine.worker),
        argv_slots=12,
        model_hint="tiny",
        version="0.32.0",
        source="gpu",
    )


def test_ollama_with_its_runner(tmp_path: Path) -> None:
    """The runner is named with the port of its own command line; the slots are the variable's."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    runner = ["llama-server", "--port", str(port), "-np", "3"]
    environ = {**os.environ, "OLLAMA_NUM_PARALLEL": "3", "OLLAMA_API_KEY": "sesame"}
    with (
        listening,
        engines.launched(
            tmp_path, "ollama", engines.OLLAMA, ["serve"], worker=runner, environ=environ
        ) as engine,
    ):
        (only,) = [
            c
            for c in candidates(SearchScope((engine.worker,), usual=()))
            if engine.server in c.pids
        ]
        found = mine(
            find(SearchScope((engine.worker,), usual=()), ProbeCache(), NOW, LONG_S), engine.worker
        )
    assert (found.kind, found.argv_slots) == ("ollama", 3)
    assert found.runners == (f"http://127.0.0.1:{port}",)
    assert only.environ == (("OLLAMA_NUM_PARALLEL", "3"),)


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_engine_is_not_listed(tree: Tree, name: str) -> None:
    """And gets GETs only, no credentials, and at most a handful of them."""
    with Server(OTHERS[name]) as server:
        findings = find(among(tree, server), ProbeCache(), NOW, LONG_S)
    assert findings == Findings(tried=findings.tried, candidates=findings.tried)
    assert 1 <= len(server.asked) <= 9
    assert not any("authorization" in asked.headers for asked in server.asked)
    assert not any(asked.path.startswith(("/login", "/again")) for asked in server.asked)


def test_another_protocol_is_disturbed_once(tree: Tree) -> None:
    """One question without an HTTP answer is the last one."""
    with Server(OTHERS["another protocol"]) as server:
        find(among(tree, server), ProbeCache(), NOW, LONG_S)
    assert server.connections == 1


def test_a_port_without_an_answer_delays_no_other(tree: Tree) -> None:
    """The others are found though one never answers, and the search ends by its deadline."""
    with Server(hanging()) as silent, Server(engines.answering(engines.LLAMACPP)) as good:
        findings = find(among(tree, silent, good), ProbeCache(), NOW, SOON_S)
    assert [one.url for one in findings.found] == [good.url]


def test_a_busy_engine_is_listed_by_its_command_line(tree: Tree) -> None:
    """Its process and its socket are known, so a server too slow to answer does not vanish."""
    with Server(hanging()) as busy, Server(hanging()) as other:
        search = among(tree, busy, other)
        tree.process(7, 1, "vllm", "serve", "tiny", "--port", str(busy.port), holds=[1000])
        for limit_s in (SOON_S, LONG_S):  # our own deadline, or a quarter of a second
            findings = find(search, ProbeCache(), NOW, limit_s)
            (found,) = findings.found
            assert (found.kind, found.url, found.pids) == ("vllm", busy.url, (7,))


def test_no_question_outlives_the_deadline(tree: Tree) -> None:
    """Every GET is given a quarter of a second at most, and no more than what is left."""
    given: list[float] = []

    def dial(request: Request, timeout_s: float) -> socket.socket:
        given.append(timeout_s)
        return socket.create_connection(("127.0.0.1", server.port))

    with Server(engines.answering(engines.VLLM)) as server:
        find(among(tree, server), ProbeCache(), NOW, LONG_S, dial=dial)
        assert max(given) == 0.25
        given.clear()
        find(among(tree, server), ProbeCache(), NOW, 0.1, dial=dial)
    assert max(given) < 0.1


def test_a_spent_deadline_makes_no_request(tree: Tree) -> None:
    """What could not be looked at is not taken for absent."""
    with Server(engines.answering(engines.VLLM)) as server:
        findings = find(among(tree, server), ProbeCache(), NOW, 0.0)
    assert findings == Findings(complete=False)
    assert server.asked == []


def test_other_servers_get_no_requests_for_five_minutes(tree: Tree) -> None:
    """The same socket is not asked again before; a new one at the same port is, at once."""
    cache = ProbeCache()
    with Server(engines.web_app()) as server:
        search = among(tree, server)
        find(search, cache, NOW, LONG_S)
        before = len(server.asked)
        find(search, cache, NOW + TTL_OTHER_S - 1, LONG_S)
        assert len(server.asked) == before
        find(search, cache, NOW + TTL_OTHER_S + 1, LONG_S)
        assert len(server.asked) == 2 * before
        tree.listen(HERE, ("127.0.0.1", server.port, 4321, 0))
        server.answer = engines.answering(engines.VLLM)
        (found,) = find(search, cache, NOW + TTL_OTHER_S + 2, LONG_S).found
    assert found.kind == "vllm"


def test_ports_without_an_answer_are_tried_again_sooner(tree: Tree) -> None:
    """An engine under heavy load may have been too slow once."""
    cache = ProbeCache()
    with Server(hanging()) as server:
        search = among(tree, server)
        find(search, cache, NOW, LONG_S)
        find(search, cache, NOW + TTL_NO_ANSWER_S - 1, LONG_S)
        assert server.connections == 1
        server.answer = engines.answering(engines.VLLM)
        assert find(search, cache, NOW + TTL_NO_ANSWER_S + 1, LONG_S).found


def test_engines_are_not_asked_again_while_their_socket_lives(tree: Tree) -> None:
    """Repeating the search costs them nothing, and forgets them when the socket is gone."""
    cache = ProbeCache()
    with Server(engines.answering(engines.VLLM)) as server:
        search = among(tree, server)
        first = find(search, cache, NOW, LONG_S)
        before = len(server.asked)
        assert find(search, cache, NOW + 30, LONG_S) == first
        assert len(server.asked) == before
    tree.listen(HERE)
    assert find(search, cache, NOW + 60, LONG_S).found == ()


def test_an_engine_that_answered_in_part_is_identified_again(tree: Tree) -> None:
    """A timeout made it look like a lesser kind: that is shown, and not believed for long."""
    table = {"/v1/models": ok({"object": "list", "data": [{"id": "tiny"}]})}
    cache = ProbeCache()
    with Server(routes({**table, "/health/liveliness": hanging()})) as server:
        search = among(tree, server)
        assert find(search, cache, NOW, LONG_S).found[0].kind == "openai"
        server.answer = routes({**table, "/health/liveliness": ok("I'm alive!")})
        assert find(search, cache, NOW + 30, LONG_S).found[0].kind == "litellm"


def test_what_was_not_tried_in_time_is_tried_the_next_time(tree: Tree) -> None:
    """Our own deadline says nothing about a server."""
    cache = ProbeCache()
    with Server(hanging()) as server:
        search = among(tree, server)
        assert not find(search, cache, NOW, SOON_S).complete
        server.answer = engines.answering(engines.VLLM)
        assert find(search, cache, NOW + 1, LONG_S).found


def test_loading_servers_are_asked_again(tree: Tree) -> None:
    """503 from everything may be an engine that loads: it is no other server yet."""
    cache = ProbeCache()
    with Server(status(503)) as server:
        search = among(tree, server)
        assert find(search, cache, NOW, LONG_S).found == ()
        server.answer = engines.answering(engines.LLAMACPP)
        assert len(find(search, cache, NOW + 30, LONG_S).found) == 1


def test_an_engine_that_does_not_listen_yet_is_starting(tree: Tree) -> None:
    """It is told apart from the found ones, with what its command line says."""
    port = engines.free_port()
    tree.process(500, 1, "vllm", "serve", "tiny", "--port", str(port), "--max-num-seqs", "4")
    findings = find(SearchScope((500,), usual=(), root=str(tree.root)), ProbeCache(), NOW, LONG_S)
    assert findings.found == ()
    (starting,) = findings.starting
    assert (starting.kind, starting.model_hint, starting.argv_slots) == ("vllm", "tiny", 4)


def test_a_container_out_of_reach_is_not_called_starting(tree: Tree) -> None:
    """It may serve well, where loopback does not lead."""
    port = engines.free_port()
    tree.process(500, 1, "vllm", "serve", "tiny", "--port", str(port), network="net:[2]")
    findings = find(SearchScope((500,), usual=(), root=str(tree.root)), ProbeCache(), NOW, LONG_S)
    assert findings == Findings(tried=1, candidates=1)


def test_configured_addresses_are_described_without_a_request(tree: Tree) -> None:
    """The user's own entry gets the processes and slots that /proc knows."""
    with Server(engines.answering(engines.VLLM)) as server:
        tree.listen(HERE, ("127.0.0.1", server.port, 9, 0))
        words = ("vllm", "serve", "tiny", "--port", str(server.port), "--max-num-seqs", "4")
        tree.process(500, 1, *words, holds=[9])
        taken = (("localhost", server.port),)
        search = SearchScope((500,), usual=(server.port,), taken=taken, root=str(tree.root))
        findings = find(search, ProbeCache(), NOW, LONG_S)
    assert server.asked == []
    assert findings.found == ()
    (own,) = findings.configured
    assert (own.pids, own.argv_slots) == ((500,), 4)


def test_a_guessed_port_of_another_kind_gets_no_processes(tree: Tree) -> None:
    """A container's inner port number led to somebody else's engine here."""
    with Server(engines.answering(engines.LLAMACPP)) as server:
        tree.listen(HERE, ("127.0.0.1", server.port, 9, 1000))
        tree.listen("net:[2]", ("0.0.0.0", server.port, 10, 0))
        words = ("vllm", "serve", "tiny", "--port", str(server.port))
        tree.process(500, 1, *words, network="net:[2]", holds=[10])
        (found,) = find(
            SearchScope((500,), usual=(), root=str(tree.root)), ProbeCache(), NOW, LONG_S
        ).found
    assert (found.kind, found.pids, found.model_hint) == ("llamacpp", (), None)


def test_a_server_on_ipv6_loopback(tree: Tree) -> None:
    """An IPv6 wildcard is tried by IPv4 first and found by IPv6."""
    with Server(engines.answering(engines.VLLM), host="::1") as server:
        tree.listen(HERE, ("::", server.port, 9, 0))
        search = SearchScope(usual=(server.port,), root=str(tree.root))
        cache = ProbeCache()
        (found,) = find(search, cache, NOW, LONG_S).found
        (again,) = find(search, cache, NOW + 1, LONG_S).found
    assert found.url == again.url == server.url


def test_results_are_in_order_of_port(tree: Tree) -> None:
    """Whoever answers first."""
    tables = (engines.VLLM, engines.LLAMACPP, engines.OLLAMA)
    servers = [Server(engines.answering(table)) for table in tables]
    try:
        found = find(among(tree, *servers), ProbeCache(), NOW, LONG_S).found
    finally:
        for server in servers:
            server.close()
    assert [one.url for one in found] == [s.url for s in sorted(servers, key=lambda s: s.port)]


async def test_the_async_search_leaves_the_loop_alone(tree: Tree) -> None:
    """The loop goes on while the search waits for a server that the loop itself lets answer."""
    import asyncio
    import threading

    gate = threading.Event()
    with Server(gated(gate, engines.answering(engines.VLLM))) as server:
        asyncio.get_running_loop().call_soon(gate.set)
        findings = await find_async(among(tree, server), ProbeCache(), NOW, LONG_S)
    assert [one.url for one in findings.found] == [server.url]


def test_the_search_imports_nothing_slow() -> None:
    """The one-line views run it within their start-up budget."""
    slow = ("asyncio", "ssl", "logging", "pathlib", "subprocess", "dataclasses", "inspect")
    program = (
        "import sys; import tokentop.transport.discovery.search;"
        "import tokentop.transport.discovery.persisted;"
        f"print([m for m in {slow!r} if m in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"
