"""The completions, asked by the shells themselves."""

import os
import pty
import select
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

import pytest

from tests.cli.command import run
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


def in_zsh(script: Path, words: Sequence[str]) -> set[str]:
    """A real zsh in a pseudo-terminal lists what it would complete, one a line."""
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
        # ^D lists the matches of an unfinished line; ^U, a mark, and the list is complete
        os.write(terminal, (" ".join(words) + "\x04").encode())
        os.write(terminal, b"\x15echo DONE-$((40+2))\n")
        return set(_until(terminal, "DONE-42").split())
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)


def _until(terminal: int, mark: str) -> str:
    seen, deadline = "", monotonic() + PATIENCE_S
    while mark not in seen:
        ready, _, _ = select.select([terminal], [], [], deadline - monotonic())
        assert ready, f"{mark} was not seen in {seen!r}"
        seen += os.read(terminal, 65536).decode("utf-8", "replace")
    return seen


ASK: dict[str, Callable[[Path, Sequence[str]], set[str]]] = {
    "bash": in_bash,
    "fish": in_fish,
    "zsh": in_zsh,
}


@pytest.mark.parametrize(("words", "offered"), CASES, ids=[" ".join(words) for words, _ in CASES])
def test_every_flag_command_and_value_is_offered(
    script: Path, words: tuple[str, ...], offered: set[str]
) -> None:
    """What the shell offers is what the program takes; zsh's list has its own words around it."""
    found = ASK[script.name](script, words)
    if script.name == "bash":
        assert found == offered
    else:
        assert offered - {"-h", "-V"} <= found


@pytest.mark.parametrize(("words", "offered"), VALUES, ids=[" ".join(words) for words, _ in VALUES])
def test_bash_completes_values(tmp_path: Path, words: tuple[str, ...], offered: set[str]) -> None:
    """Also behind `=`, which bash makes a word of its own, and in a list with commas."""
    file = tmp_path / "bash"
    file.write_text(run("completion", "bash").stdout)
    (tmp_path / "prod.toml").touch()
    assert in_bash(file, words) == offered
