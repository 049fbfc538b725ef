"""A box that has run out of threads, descriptors or memory: a working screen, or one sentence."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.views.tui.pseudo_terminal import PseudoTerminal, clean_environment

ALTERNATE_SCREEN = b"\x1b[?1049h"
LIMITED = """
import resource, sys
kind, limit = getattr(resource, sys.argv[1]), int(sys.argv[2])
resource.setrlimit(kind, (limit, limit))
sys.argv[1:] = sys.argv[3:]
from tokentop.cli import main
sys.exit(main())
"""


@pytest.fixture(scope="session")
def few_threads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library to preload, which makes thread creation fail."""
    compiler = next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if compiler is None:
        pytest.skip("no C compiler to build the thread limit with")
    library = tmp_path_factory.mktemp("few_threads") / "few_threads.so"
    source = Path(__file__).with_name("few_threads.c")
    subprocess.run(
        [compiler, "-O1", "-fPIC", "-shared", "-o", library, source, "-ldl", "-pthread"], check=True
    )
    return library


def limited(kind: str, limit: int) -> tuple[str, ...]:
    """tokentop under one limit of its own."""
    return (sys.executable, "-c", LIMITED, kind, str(limit))


def opens(terminal: PseudoTerminal, why: str) -> bool:
    """Whether the full screen opened and q ended it; else it was never touched, and one sentence
    says why."""
    while terminal.process.poll() is None and b"asking" not in terminal.seen:
        terminal.read_some()
    if terminal.process.poll() is None:
        terminal.press(b"q")
        code, _ = terminal.wait()
        assert code == 0, terminal.errors()
        assert terminal.settings() == terminal.attrs
        return True
    code, _ = terminal.wait()
    errors = terminal.errors()
    assert code == 1
    assert errors.startswith("tokentop: ")
    assert errors.count("\n") == 1, errors
    assert why in errors
    assert "raise the limit" in errors
    assert ALTERNATE_SCREEN not in terminal.seen
    assert terminal.settings() == terminal.attrs
    return False


@pytest.mark.parametrize("threads", [0, 3, 4, 5])
def test_few_threads(threads: int, few_threads: Path, tmp_path: Path) -> None:
    """None, one too few, just enough, and one more."""
    env = {"LD_PRELOAD": str(few_threads), "FEW_THREADS": str(threads)}
    with PseudoTerminal([], {**env, "XDG_CONFIG_HOME": str(tmp_path)}) as terminal:
        assert opens(terminal, "no further thread") is (threads >= 4)


@pytest.mark.parametrize("descriptors", [6, 12, 24, 32, 48])
def test_few_descriptors(descriptors: int, tmp_path: Path) -> None:
    """`ulimit -n` at every number that an import, a pipe or a socket may meet."""
    command = limited("RLIMIT_NOFILE", descriptors)
    with PseudoTerminal([], {"XDG_CONFIG_HOME": str(tmp_path)}, command=command) as terminal:
        opened = opens(terminal, "too many open files")
    assert opened or descriptors < 48
    assert not opened or descriptors > 24


@pytest.mark.parametrize("mib", [40, 80, 100, 512])
def test_little_memory(mib: int, tmp_path: Path) -> None:
    """`ulimit -v`, as a shared login node may have it."""
    command = limited("RLIMIT_AS", mib * 2**20)
    with PseudoTerminal([], {"XDG_CONFIG_HOME": str(tmp_path)}, command=command) as terminal:
        opened = opens(terminal, "not enough memory")
    assert opened or mib < 512
    assert not opened or mib > 80


@pytest.mark.parametrize("ending", [b"q", signal.SIGTERM], ids=["q", "SIGTERM"])
def test_leaving_needs_no_thread(
    ending: bytes | signal.Signals, few_threads: Path, tmp_path: Path
) -> None:
    """The terminal is restored though no thread can be started any more."""
    full = tmp_path / "full"
    env = {"LD_PRELOAD": str(few_threads), "FEW_THREADS_FILE": str(full)}
    with PseudoTerminal(["--demo"], {**env, "XDG_CONFIG_HOME": str(tmp_path)}) as terminal:
        terminal.read_until(b"DEMO")
        full.touch()
        if isinstance(ending, bytes):
            terminal.press(ending)
        else:
            terminal.send_signal(ending)
        code, _ = terminal.wait()
        assert (code, terminal.errors()) == (0 if ending == b"q" else 128 + ending, "")
        assert full.read_bytes() == b"", "a thread was to be started"
        assert b"\x1b[?1049l" in terminal.seen
        assert terminal.settings() == terminal.attrs


def test_the_monitor_goes_on_without_new_threads(few_threads: Path, tmp_path: Path) -> None:
    """A search that finds no thread is left out; the screen and its keys stay."""
    full = tmp_path / "full"
    env = {"LD_PRELOAD": str(few_threads), "FEW_THREADS_FILE": str(full)}
    with PseudoTerminal([], {**env, "XDG_CONFIG_HOME": str(tmp_path)}) as terminal:
        terminal.read_until(ALTERNATE_SCREEN, b"quit")
        full.touch()
        terminal.press(b"r")
        terminal.read_until(b"Polling every source now")
        terminal.press(b"q")
        code, _ = terminal.wait()
        assert (code, terminal.errors()) == (0, "")


@pytest.mark.parametrize("view", ["--compact", "--json", "doctor"])
def test_text_views_say_what_there_is_not(view: str, few_threads: Path, tmp_path: Path) -> None:
    """Without any thread: a sentence and no traceback; 3 where `--check` gives 1 a meaning."""
    env = {"LD_PRELOAD": str(few_threads), "FEW_THREADS": "0", "XDG_CONFIG_HOME": str(tmp_path)}
    for extra, code in ((), 1), (("--check",), 3):
        if extra and view == "doctor":
            continue
        ran = subprocess.run(
            [sys.executable, "-m", "tokentop", view, *extra],
            env=clean_environment(env),
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert "no further thread can be started" in ran.stderr
        assert "Traceback" not in ran.stderr
        assert ran.returncode == code
