"""Other users of the same host, whose processes may have any name and arguments."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from tests.servers.loopback import Server
from tests.transport.discovery import engines
from tests.transport.discovery.recorded import HERE, Tree
from tokentop.transport import procfs
from tokentop.transport.discovery import ports
from tokentop.transport.discovery.candidates import (
    MAX_CANDIDATES,
    Candidate,
    SearchScope,
    candidates,
    choose,
)
from tokentop.transport.discovery.probe_cache import ProbeCache
from tokentop.transport.discovery.search import find
from tokentop.transport.http.messages import Request

NOW = 1_800_000_000.0
ME = os.geteuid()
SERVICE, MALLORY, OTHERS = 990, 6666, (7001, 7002, 7003)
VLLM = ("python3", "/opt/bin/vllm", "serve", "tiny", "--port")
SSH, SMTP, REDIS, DOCKER = 22, 25, 6379, 2375


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def look(tree: Tree, *gpu_pids: int, usual: Sequence[int] = ()) -> list[Candidate]:
    return list(candidates(SearchScope(gpu_pids, usual=tuple(usual), root=str(tree.root))))


def crowd(tree: Tree, first_pid: int, count: int, user: int, first_port: int) -> None:
    """Processes called `vllm serve` that do nothing."""
    for at in range(count):
        tree.process(first_pid + at, 1, *VLLM, str(first_port + at), user=user)


def refuse(request: Request, timeout_s: float) -> NoReturn:
    """Nothing listens anywhere."""
    raise ConnectionRefusedError


@pytest.mark.parametrize(("count", "user"), [(64, SERVICE), (300, ME)])
def test_idle_processes_hide_no_engine(tree: Tree, count: int, user: int) -> None:
    """Whatever their number, and though theirs are the lower process numbers."""
    tree.listen(HERE, ("127.0.0.1", 9000, 50, user))
    crowd(tree, 100, count, MALLORY, 20_000)
    tree.process(5000, 1, *VLLM, "9000", user=user, holds=None)
    found = look(tree)
    assert found[0].port == 9000
    assert found[0].pids == (5000,)


def test_listening_processes_hide_no_engine(tree: Tree) -> None:
    """Ours and root's come first, then one of every user in turn."""
    theirs = [("127.0.0.1", 20_000 + at, 100 + at, MALLORY) for at in range(200)]
    others = [("127.0.0.1", 9000 + at, 900 + at, user) for at, user in enumerate((ME, 0, *OTHERS))]
    tree.listen(HERE, *theirs, *others)
    crowd(tree, 100, 200, MALLORY, 20_000)
    for at, user in enumerate((ME, 0, *OTHERS)):
        tree.process(5000 + at, 1, *VLLM, str(9000 + at), user=user, holds=None)
    assert {9000, 9001, 9002, 9003, 9004} <= {one.port for one in look(tree)}


def test_the_usual_ports_keep_their_places(tree: Tree) -> None:
    """An engine whose process we cannot see is found at its usual port all the same."""
    theirs = [("127.0.0.1", 20_000 + at, 100 + at, MALLORY) for at in range(200)]
    tree.listen(HERE, *theirs, ("127.0.0.1", 8000, 1, SERVICE))
    crowd(tree, 100, 200, MALLORY, 20_000)
    found = look(tree, usual=(8000, 8080, 30000))
    assert len(found) == MAX_CANDIDATES
    assert {8000, 8080, 30000} <= {one.port for one in found}


def test_the_number_left_out_is_known(tree: Tree) -> None:
    """`64 of 203`: the doctor and the screen show that there was more."""
    crowd(tree, 100, 200, MALLORY, 20_000)
    search = SearchScope(usual=(8000, 8080, 30000), root=str(tree.root))
    choice = choose(search)
    assert (len(choice.rows), choice.total) == (64, 203)
    findings = find(search, ProbeCache(), NOW, 5.0, dial=refuse)
    assert (findings.tried, findings.candidates) == (64, 203)


@pytest.mark.parametrize("holds", [(), None], ids=["readable", "hidden"])
@pytest.mark.parametrize("port", [SSH, SMTP, REDIS, DOCKER])
def test_no_request_goes_where_another_user_listens(
    tree: Tree, port: int, holds: Sequence[int] | None
) -> None:
    """As root we would ask a mail server, a database, a container engine."""
    tree.listen(HERE, ("127.0.0.1", port, 50, 0), ("0.0.0.0", 9999, 51, MALLORY))
    tree.process(100, 1, *VLLM, str(port), user=MALLORY, holds=holds)
    assert port not in {one.port for one in look(tree, 100)}


def test_a_socket_of_ones_own_beside_it_does_not_help(tree: Tree) -> None:
    """127.0.0.1 leads to root's server even where [::] or ::1 is the other user's."""
    tree.listen(HERE, ("127.0.0.1", SMTP, 50, 0), ("::", SMTP, 51, MALLORY))
    tree.process(100, 1, *VLLM, str(SMTP), user=MALLORY, holds=[51])
    assert look(tree, 100) == []


def test_a_socket_that_was_handed_over_counts(tree: Tree) -> None:
    """systemd opens it as root; the process holds it, which we can see."""
    tree.listen(HERE, ("127.0.0.1", 9000, 50, 0))
    tree.process(100, 1, *VLLM, "9000", user=SERVICE, holds=[50])
    assert [(one.port, one.certain) for one in look(tree)] == [(9000, True)]


def test_a_network_namespace_of_ones_own_leads_nowhere(tree: Tree) -> None:
    """`unshare -Urn` is everybody's: the inner port number may be another's service here."""
    tree.listen(HERE, ("127.0.0.1", REDIS, 50, 0))
    tree.listen("net:[2]", ("0.0.0.0", REDIS, 60, MALLORY))
    tree.process(100, 1, *VLLM, str(REDIS), user=MALLORY, holds=[60], network="net:[2]")
    assert look(tree, 100) == []


def test_a_false_proxy_leads_nowhere(tree: Tree) -> None:
    """A process of any user can be called docker-proxy."""
    tree.listen(HERE, ("127.0.0.1", REDIS, 50, 0))
    tree.listen("net:[2]", ("0.0.0.0", 8000, 60, MALLORY), address="10.0.0.2")
    words = f"docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port {REDIS} -container-ip 10.0.0.2"
    tree.process(90, 1, *words.split(), "-container-port", "8000", user=MALLORY)
    tree.process(100, 1, "vllm", "serve", "a", user=MALLORY, holds=[60], network="net:[2]")
    assert REDIS not in {one.port for one in look(tree, 100)}


@pytest.mark.parametrize(
    "words",
    [
        ("tritonserver", "--http-port", "9000", "--metrics-port", str(REDIS)),
        ("ollama", "serve"),
    ],
)
def test_ports_beside_the_engines_own_are_its_users_too(tree: Tree, words: tuple[str, ...]) -> None:
    """Neither a port for metrics nor a child's leads to what another user runs."""
    tree.listen(
        HERE,
        ("127.0.0.1", 9000, 50, MALLORY),
        ("127.0.0.1", 11434, 51, MALLORY),
        ("127.0.0.1", REDIS, 52, 0),
    )
    tree.process(100, 1, *words, user=MALLORY, holds=[50, 51])
    tree.process(101, 100, "llama-server", "--port", str(REDIS), user=MALLORY)
    assert {one.runners for one in look(tree, 101)} == {()}


def test_a_claimed_runner_hides_no_engine(tree: Tree) -> None:
    """A child that names a port takes it from nobody."""
    tree.listen(HERE, ("127.0.0.1", 8000, 50, SERVICE), ("127.0.0.1", 11434, 51, MALLORY))
    tree.process(100, 1, "ollama", "serve", user=MALLORY, holds=[51])
    tree.process(101, 100, "llama-server", "--port", "8000", user=MALLORY)
    assert 8000 in {one.port for one in look(tree, 101, usual=(8000,))}


def test_a_search_reads_a_bounded_number_of_links(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many descriptors are open; a socket that was not seen is known by its user."""
    monkeypatch.setattr(ports, "MAX_LINKS", 500)
    real, read = procfs.link, []

    def counting(root: str, path: str) -> str | None:
        read.append(path)
        return real(root, path)

    monkeypatch.setattr(procfs, "link", counting)
    tree.listen(HERE, ("127.0.0.1", 9000, 90_000, SERVICE))
    for pid in range(100, 104):
        tree.process(pid, 1, *VLLM, str(20_000 + pid), user=MALLORY, holds=range(400))
    tree.process(5000, 1, *VLLM, "9000", user=SERVICE, holds=range(90_000, 90_001))
    found = look(tree)
    assert 9000 in {one.port for one in found}
    assert sum("/fd/" in path for path in read) <= 500


def test_servers_of_other_users_get_no_byte(tree: Tree) -> None:
    """The whole search, against a real socket: nothing connects."""
    with Server(engines.answering(engines.VLLM)) as server:
        tree.listen(HERE, ("127.0.0.1", server.port, 50, 0))
        tree.process(100, 1, *VLLM, str(server.port), user=MALLORY, holds=())
        search = SearchScope((100,), usual=(), root=str(tree.root))
        assert find(search, ProbeCache(), NOW, 5.0).found == ()
    assert server.connections == 0
