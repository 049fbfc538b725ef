"""The completions, asked by the shells themselves."""

import os
import pty
import re
import select
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic

import pytest

from tests.cli.command import in_process, run
from tokentop.arguments.options import COMMANDS, OPTIONS, SHELLS
from tokentop.config.schema import PANELS, THEMES
from tokentop.manual.shipped import SHIPPED

PATIENCE_S = 20.0
FLAGS = {flag for option in OPTIONS for flag in option.flags}
NAMES = {command.name for command in COMMANDS}
ASK_BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
_tokentop
printf '%s\\n' "${COMPREPLY[@]}"
"""
CASES = [
    (("tokentop", ""), NAMES),
    (("tokentop", "do"), {"doctor"}),
    (("tokentop", "-"), FLAGS),
    (("tokentop", "--compact", "--wa"), {"--watch"}),
    (("tokentop", "--theme", ""), set(THEMES)),
    (("tokentop", "example", ""), set(SHIPPED)),
    (("tokentop", "example", "tokentop-"), {"tokentop-watch.service"}),
    (("tokentop", "completion", ""), set(SHELLS)),
    (("tokentop", "config", "--exa"), {"--example"}),
]
VALUES = [
    (("tokentop", "--theme", "=", "li"), {"light"}),
    (("tokentop", "--theme", "="), set(THEMES)),
    (("tokentop", "--hide", "cloud,met"), {"cloud,metrics"}),
    (("tokentop", "--hide", ""), set(PANELS)),
    (("tokentop", "--width", ""), set()),
    (("tokentop", "--config", "pro"), {"prod.toml"}),
]


@pytest.fixture(params=SHELLS, scope="module")
def script(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `tokentop completion SHELL` prints, in a file, for each shell that is installed."""
    if shutil.which(request.param) is None:
        pytest.skip(f"no {request.param} on this machine")
    done = run("completion", request.param)
    assert (done.returncode, done.stderr) == (0, "")
    file = tmp_path_factory.mktemp("completion") / request.param
    file.write_text(done.stdout)
    return file


def in_bash(script: Path, words: Sequence[str]) -> set[str]:
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK_BASH, "bash", str(script), *words],
        cwd=script.parent, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return set(done.stdout.split())


def in_fish(script: Path, words: Sequence[str]) -> set[str]:
    line = " ".join(words)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"],
        cwd=script.parent, env={**os.environ, "HOME": str(script.parent)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return {row.partition("\t")[0] for row in done.stdout.splitlines()}


@contextmanager
def zsh(script: Path) -> Iterator[int]:
    """A real zsh with the completions, at its prompt; yields its pseudo-terminal."""
    setup = (
        "autoload -U compinit; compinit -u -D; LISTMAX=0; "
        "zstyle ':completion:*' list-prompt ''; zstyle ':completion:*' verbose no; "
        f"source {script}; PS1=RE''ADY\n"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], {**os.environ, "TERM": "dumb", "LC_ALL": "C.UTF-8"})
    try:
        os.write(terminal, setup.encode())
        _until(terminal, "READY")  # the line editor's own prompt
        yield terminal
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)


def in_zsh(terminal: int, words: Sequence[str]) -> set[str]:
    """It lists what it would complete, one a line."""
    # ^D lists the matches of an unfinished line; ^U, a mark, and the list is complete
    os.write(terminal, (" ".join(words) + "\x04").encode())
    os.write(terminal, b"\x15echo DONE-$((40+2))\n")
    return set(_until(terminal, "DONE-42.*READY").split())


def _until(terminal: int, mark: str) -> str:
    seen, deadline = "", monotonic() + PATIENCE_S
    while not re.search(mark, seen, re.DOTALL):
        ready, _, _ = select.select([terminal], [], [], deadline - monotonic())
        assert ready, f"{mark} was not seen in {seen!r}"
        seen += os.read(terminal, 65536).decode("utf-8", "replace")
    return seen


@pytest.fixture(scope="module")
def ask(script: Path) -> Iterator[Callable[[Sequence[str]], set[str]]]:
    """What the shell offers for these words; zsh, slow to start, is the same one every time."""
    if script.name == "zsh":
        with zsh(script) as terminal:
            yield partial(in_zsh, terminal)
    else:
        yield partial({"bash": in_bash, "fish": in_fish}[script.name], script)


@pytest.mark.parametrize(("words", "offered"), CASES, ids=[" ".join(words) for words, _ in CASES])
def test_every_flag_command_and_value_is_offered(
    script: Path,
    ask: Callable[[Sequence[str]], set[str]],
    words: tuple[str, ...],
    offered: set[str],
) -> None:
    """What the shell offers is what the program takes; zsh's list has its own words around it."""
    found = ask(words)
    if script.name == "bash":
        assert found == offered
    else:
        assert offered - {"-h", "-V"} <= found


@pytest.mark.parametrize(("words", "offered"), VALUES, ids=[" ".join(words) for words, _ in VALUES])
def test_bash_completes_values(tmp_path: Path, words: tuple[str, ...], offered: set[str]) -> None:
    """Also behind `=`, which bash makes a word of its own, and in a list with commas."""
    file = tmp_path / "bash"
    file.write_text(in_process("completion", "bash").stdout)
    (tmp_path / "prod.toml").touch()
    assert in_bash(file, words) == offered
