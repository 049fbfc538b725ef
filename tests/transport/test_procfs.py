"""What is read from /proc: recorded trees, hidden files, and whatever a process may call itself."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transport.discovery.recorded import Tree
from tokentop.transport import procfs


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_our_own_process_is_read_as_the_kernel_has_it() -> None:
    """The real /proc: parent, arguments, user and variables of this very process."""
    pid = os.getpid()
    table = procfs.table()
    assert table.ancestors(pid)[:2] == [pid, os.getppid()]
    assert table.argv(pid)
    assert procfs.user("/proc", pid) == os.geteuid()
    assert dict(procfs.environment("/proc", pid, ("PATH",))) in ({}, {"PATH": os.environ["PATH"]})


def test_a_name_with_brackets_does_not_hide_the_parent(tree: Tree) -> None:
    """The fields begin behind the last bracket."""
    tree.process(7, 3, "engine")
    assert procfs.stat(str(tree.root), 7) == procfs.Stat("a) b", "S", 3)


@pytest.mark.parametrize("state", ["D", "Z"])
def test_the_command_line_of_a_stuck_process_is_not_read(tree: Tree, state: str) -> None:
    """Its reader could block for as long as the process does."""
    tree.process(7, 1, "vllm", "serve", state=state)
    assert procfs.table(str(tree.root)).argv(7) == ()


def test_sockets_of_a_process(tree: Tree) -> None:
    """Files and pipes are none; descriptors that are hidden are not no sockets."""
    tree.process(7, 1, "engine", holds=[11, 12])
    tree.process(8, 1, "engine", holds=None)
    (tree.root / "7" / "fd" / "9").symlink_to("/dev/null")
    (tree.root / "7" / "fd" / "10").symlink_to("socket:[x]")
    assert procfs.sockets(str(tree.root), 7) == procfs.SocketLinks(frozenset({11, 12}), 4, True)
    assert procfs.sockets(str(tree.root), 8) is None


def test_the_links_read_of_one_process_are_bounded(tree: Tree) -> None:
    """A process may hold a million descriptors; that not all were read is reported."""
    tree.process(7, 1, "engine", holds=range(50))
    found = procfs.sockets(str(tree.root), 7, 20)
    assert found is not None
    assert (found.read, found.complete, len(found.inodes)) == (20, False, 20)
    assert procfs.sockets(str(tree.root), 7, 50) == (frozenset(range(50)), 50, True)


def test_when_a_process_was_started(tree: Tree) -> None:
    """Clock ticks since the boot, as the kernel has them; None where there is no such process."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    assert procfs.started("/proc", os.getpid()) == int(fields[22 - 3])
    assert procfs.started(str(tree.root), 7) is None


def test_the_user_under_hidepid(tree: Tree) -> None:
    """Where others' files are closed the folder's owner is left."""
    tree.process(7, 1, "engine", user=33)
    assert procfs.user(str(tree.root), 7) == 33
    (tree.root / "7" / "status").unlink()
    assert procfs.user(str(tree.root), 7) == os.geteuid()
    assert procfs.user(str(tree.root), 8) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80))
def test_any_bytes_are_read(tree: Tree, line: bytes, command: bytes, status: bytes) -> None:
    """Nothing that a process writes about itself raises."""
    folder = tree.root / "9"
    folder.mkdir(exist_ok=True)
    (folder / "stat").write_bytes(b"9 (x" + line)
    (folder / "cmdline").write_bytes(command)
    (folder / "status").write_bytes(status)
    (folder / "environ").write_bytes(line)
    root = str(tree.root)
    procfs.table(root).argv(9)
    procfs.environment(root, 9, ("PATH",))
    procfs.user(root, 9)
