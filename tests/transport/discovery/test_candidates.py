"""Who is looked at, in which order, on recorded process tables."""

from pathlib import Path

import pytest

from tests.transport.discovery.recorded import HERE, Tree
from tokentop.transport.discovery.candidates import (
    MAX_CANDIDATES,
    Candidate,
    SearchScope,
    candidates,
)

VLLM = ("python3", "/opt/bin/vllm", "serve", "tiny", "--max-num-seqs", "12", "--port", "9000")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def look(
    tree: Tree, *gpu_pids: int, usual: tuple[int, ...] = (), **more: object
) -> list[Candidate]:
    search = SearchScope(gpu_pids=gpu_pids, usual=usual, root=str(tree.root))
    return list(candidates(search._replace(**more)))


def test_a_tensor_parallel_worker_leads_to_the_server_that_launched_it(tree: Tree) -> None:
    """The GPU is held by a grandchild; the port and the seats are the grandparent's."""
    tree.listen(HERE, ("127.0.0.1", 9000, 50, 1000), ("0.0.0.0", 41234, 51, 1000))
    tree.process(100, 1, "bash")
    tree.process(200, 100, *VLLM, holds=[50, 51])
    tree.process(300, 200, "VLLM::EngineCore")
    tree.process(301, 300, "VLLM::Worker_TP0")
    tree.process(302, 300, "VLLM::Worker_TP1")
    (only,) = look(tree, 301, 302)
    assert (only.host, only.port, only.source, only.certain) == ("127.0.0.1", 9000, "gpu", True)
    assert only.pids == (200, 300, 301, 302)
    assert only.inode == 50
    assert only.command is not None
    assert (only.command.kind, only.command.slots) == ("vllm", 12)


def test_ollamas_runners_are_its_own_and_no_candidates(tree: Tree) -> None:
    """The child's port becomes an origin of Ollama; it is never asked as an engine of its own."""
    tree.listen(HERE, ("::", 11434, 60, 1000), ("127.0.0.1", 8080, 61, 1000))
    tree.process(400, 1, "/usr/bin/ollama", "serve", holds=[60], environ="OLLAMA_NUM_PARALLEL=3\0")
    tree.process(401, 400, "/usr/lib/llama-server", "--port", "8080", "-np", "3", holds=[61])
    found = look(tree, 401, usual=(8080, 11434))
    assert [c.port for c in found] == [11434]
    assert found[0].runners == ("http://127.0.0.1:8080",)
    assert found[0].pids == (400, 401)
    assert (found[0].host, found[0].other_host) == ("127.0.0.1", "::1")
    assert found[0].command is not None
    assert found[0].command.slots == 3


def test_tritons_metrics_are_read_at_the_port_of_its_command_line(tree: Tree) -> None:
    """Its HTTP port is asked; gRPC's is not, and the one of the metrics is handed on."""
    ports = (8010, 8011, 8012)
    tree.listen(HERE, *(("0.0.0.0", port, port, 1000) for port in ports))
    words = ["tritonserver", "--http-port", "8010", "--grpc-port", "8011", "--metrics-port", "8012"]
    tree.process(20, 1, *words, holds=ports)
    tree.process(21, 20, "/opt/tritonserver/backends/python/triton_python_backend_stub")
    (only,) = look(tree, 21)
    assert (only.port, only.pids, only.runners) == (8010, (20, 21), ("http://127.0.0.1:8012",))


def test_an_engine_started_by_another_kind_is_its_own(tree: Tree) -> None:
    """A router that launched an engine does not swallow it."""
    tree.listen(HERE, ("0.0.0.0", 4000, 1, 1000), ("0.0.0.0", 9000, 2, 1000))
    tree.process(10, 1, "litellm", "--config", "x.yaml", holds=[1])
    tree.process(11, 10, *VLLM, holds=[2])
    found = look(tree, 11)
    assert [(c.port, c.pids, c.source) for c in found] == [
        (9000, (11,), "gpu"),
        (4000, (10,), "process"),
    ]


@pytest.mark.parametrize("holds", [[7], None], ids=["readable", "unreadable"])
def test_other_users_engines_are_found_without_permissions(
    tree: Tree, holds: list[int] | None
) -> None:
    """Descriptors that we may not see cost the certainty, not the engine."""
    tree.listen(HERE, ("127.0.0.1", 9000, 7, 33), ("127.0.0.1", 5555, 8, 1000))
    tree.process(20, 1, *VLLM, holds=holds, user=33)
    (only,) = look(tree)
    assert (only.port, only.certain, only.listening) == (9000, holds is not None, True)


def test_a_port_from_a_configuration_file_is_found_by_its_user(tree: Tree) -> None:
    """The command line names no port and the usual one is closed: what that user opened counts."""
    tree.listen(HERE, ("0.0.0.0", 9100, 7, 33), ("0.0.0.0", 22, 8, 0), ("0.0.0.0", 50001, 9, 33))
    tree.process(20, 1, "vllm", "serve", "--config", "x.yaml", holds=None, user=33)
    assert [c.port for c in look(tree)] == [8000, 9100]


def test_a_rendezvous_port_is_left_alone_while_an_engine_loads(tree: Tree) -> None:
    """Only the named port is asked, though a store listens already."""
    tree.listen(HERE, ("0.0.0.0", 29500, 3, 1000), ("0.0.0.0", 20001, 4, 1000))
    tree.process(20, 1, *VLLM, holds=[3, 4])
    (only,) = look(tree, 20)
    assert (only.port, only.listening) == (9000, False)


def test_a_container_is_reached_by_its_published_port(tree: Tree) -> None:
    """The right container's, where two have the same port inside."""
    proxy = "/usr/bin/docker-proxy -proto tcp -host-ip {} -host-port {} -container-ip {}"
    tree.listen(HERE, ("0.0.0.0", 18000, 70, 0), ("0.0.0.0", 18001, 71, 0))
    tree.listen("net:[2]", ("0.0.0.0", 8000, 80, 0), address="172.17.0.2")
    tree.listen("net:[3]", ("0.0.0.0", 8000, 90, 0), address="172.17.0.3")
    for pid, port, address in ((30, 18000, "172.17.0.2"), (31, 18001, "172.17.0.3")):
        words = proxy.format("0.0.0.0", port, address).split()
        tree.process(pid, 1, *words, "-container-port", "8000", user=0)
    tree.process(40, 1, "vllm", "serve", "a", network="net:[2]", holds=[80])
    tree.process(50, 1, "vllm", "serve", "b", network="net:[3]", hidden=True, holds=None, user=0)
    found = {c.port: c for c in look(tree, 40, 50)}
    assert {port: c.pids for port, c in found.items()} == {18000: (40,), 18001: (50,)}
    assert all(c.certain and c.listening for c in found.values())
    assert found[18001].inode == 71


@pytest.mark.parametrize("holds", [[1], None], ids=["readable", "unreadable"])
def test_an_unpublished_container_claims_no_port_of_ours(
    tree: Tree, holds: list[int] | None
) -> None:
    """Its inner number is at most a guess, and our own server there keeps its processes."""
    tree.listen(HERE, ("0.0.0.0", 9000, 1, 1000))
    tree.listen("net:[2]", ("0.0.0.0", 9000, 2, 0), address="172.17.0.2")
    tree.process(60, 1, "python", "-m", "sglang.launch_server", "--port", "9000", network="net:[2]")
    tree.process(61, 1, *VLLM, holds=holds)
    (only,) = look(tree, 60)
    assert (only.pids, only.guessed) == ((61,), False)


def test_what_is_bound_to_another_address_is_not_asked(tree: Tree) -> None:
    """Loopback does not lead there."""
    tree.listen(HERE, ("192.0.2.7", 9000, 1, 1000))
    tree.process(61, 1, *VLLM, holds=[1])
    assert look(tree) == []


@pytest.mark.parametrize(
    "argv",
    [
        ("ollama", "run", "llama3"),
        ("vllm", "bench", "serve", "--port", "9000"),
        ("vim", "vllm"),
        ("grep", "llama-server"),
        ("ssh", "box", "vllm", "serve"),
        ("sglang::scheduler_TP0",),
    ],
)
def test_clients_editors_and_orphans_are_no_engines(tree: Tree, argv: tuple[str, ...]) -> None:
    """A command line that names an engine without serving leads nowhere."""
    tree.process(70, 1, *argv)
    assert look(tree) == []


def test_gpu_processes_of_no_known_kind(tree: Tree) -> None:
    """A start script's server next to its worker is asked; training and notebooks are not."""
    tree.listen(HERE, *(("0.0.0.0", 7000 + n, n, 1000) for n in range(1, 5)))
    tree.process(80, 1, "tmux: server", holds=[1])
    tree.process(81, 80, "bash", "start.sh")
    tree.process(82, 81, "python", "api.py", holds=[2])
    tree.process(83, 81, "python", "worker.py")
    tree.process(84, 80, "python", "-m", "ipykernel_launcher", holds=[3])
    tree.process(85, 80, "torchrun", "train.py", holds=[4])
    tree.process(86, 85, "python", "train.py")
    found = look(tree, 83, 84, 86)
    assert [(c.port, c.pids, c.command) for c in found] == [(7002, (81, 82, 83), None)]


def test_usual_ports_come_last_and_open_ones_first(tree: Tree) -> None:
    """Excluded ports are nobody's business; configured hosts get the same ports."""
    tree.listen(HERE, ("::1", 1234, 5, 1000), ("0.0.0.0", 9000, 6, 1000))
    tree.process(90, 1, *VLLM, holds=[6])
    found = look(tree, usual=(8000, 1234, 5000), ports=(7777,), exclude=(5000,))
    assert [(c.host, c.port) for c in found] == [
        ("127.0.0.1", 9000),
        ("::1", 1234),
        ("127.0.0.1", 7777),
        ("127.0.0.1", 8000),
    ]
    other = look(tree, usual=(8000,), hosts=("localhost", "10.0.0.2"))
    assert ("10.0.0.2", 8000) in [(c.host, c.port) for c in other]


def test_the_number_of_candidates_is_bounded(tree: Tree) -> None:
    """A host with hundreds of engines costs as much as one with 64."""
    for pid in range(1000, 1100):
        tree.process(pid, 1, "vllm", "serve", "--port", str(pid))
    assert len(look(tree, usual=tuple(range(2000, 2100)))) == MAX_CANDIDATES


@pytest.mark.parametrize("state", ["D", "Z"])
def test_a_stuck_process_is_not_read(tree: Tree, state: str) -> None:
    """Its command line could hang the reader."""
    tree.process(91, 1, *VLLM, state=state)
    assert look(tree) == []


def test_no_process_table_at_all(tmp_path: Path) -> None:
    """Where there is no /proc the usual ports remain."""
    search = SearchScope(gpu_pids=(5,), usual=(8000,), root=str(tmp_path / "none"))
    (only,) = candidates(search)
    assert (only.port, only.listening) == (8000, None)
