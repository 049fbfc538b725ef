"""Arguments: what is refused, in one sentence and with the right code, and what is printed."""

import pytest

from tests.cli.command import environment, in_process, in_terminal, run
from tokentop import __version__
from tokentop.views.figures import FIELDS

MISTAKES = [
    ("--bogus",),
    ("nonsense",),
    ("--compact", "--json"),
    ("--json", "--format", "{tier}"),
    ("--example",),
    ("doctor", "--json"),
    ("config", "--watch"),
    ("--compact", "--format"),
    ("--json", "--width", "40"),
    ("--compact", "--width", "0"),
    ("--compact", "--width", "wide"),
    ("--compact", "--width", "99999"),
    ("example", "nonesuch"),
    ("completion",),
    ("completion", "tcsh"),
    ("config", "more"),
    ("--compact", "--format", "{nope}"),
    ("--compact", "--format", "{tier.__class__}"),
    ("--compact", "--format", "{queued:zz}"),
    ("--compact", "--interval", "0.1"),
    ("--compact", "--interval", "nan"),
    ("--compact", "--theme", "neon"),
    ("--compact", "--hide", "everything"),
    ("--compact", "--demo-at", "-1"),
    ("--compact", "--demo-at", "1e99"),
    ("--compact", "--demo-seed", "x"),
    ("--compact", "--config", "/nonexistent/tokentop.toml"),
]


@pytest.mark.parametrize("words", MISTAKES, ids=" ".join)
def test_a_mistake_is_one_sentence_and_2(words: tuple[str, ...]) -> None:
    """Nothing is printed on stdout, one line says what to mend, and no traceback is seen."""
    done = in_process(*words)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("tokentop: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("word", "meant"),
    [("--dmeo", "--demo"), ("--promethius=x", "--prometheus"), ("docter", "doctor")],
)
def test_a_slip_of_the_finger_is_answered_with_what_was_meant(word: str, meant: str) -> None:
    """Flags and commands; the word that is near is named."""
    done = run(word)
    assert done.returncode == 2
    assert f"did you mean {meant}?" in done.stderr


@pytest.mark.parametrize(
    "words", [("--token", "s3cr3t"), ("--token=s3cr3t",), ("s3cr3t",), ("doctor", "s3cr3t"),
     ("example", "s3cr3t"), ("completion", "s3cr3t"), ("--width", "s3cr3t")],
    ids=" ".join,
)  # fmt: skip
def test_a_token_typed_on_the_command_line_is_not_repeated(words: tuple[str, ...]) -> None:
    """There is no such flag or word, and the refusal may end up in a log."""
    done = in_process(*words)
    assert done.returncode == 2
    assert "s3cr3t" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [("--bogus",), ("--format", "{nope}"), ("--interval", "0.1"), ("--watch",), ("--json", "-c")],
    ids=" ".join,
)
def test_under_check_a_mistake_is_unknown(words: tuple[str, ...]) -> None:
    """A monitoring plugin that was called wrongly knows nothing: 3."""
    done = in_process("--check", *words)
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1


def test_every_problem_of_the_configuration_is_reported_at_once() -> None:
    """Two wrong flags are two lines, not one after the other."""
    done = run("--compact", "--interval", "0.1", "--theme", "neon")
    assert done.returncode == 2
    assert "interval" in done.stderr
    assert "neon" in done.stderr


def test_without_a_terminal_the_full_screen_says_what_to_use() -> None:
    """Plain `tokentop` into a pipe prints one sentence and no escape code."""
    done = run()
    assert done.returncode == 2
    assert "--compact" in done.stderr
    assert "--json" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_a_dumb_terminal_gets_the_same_advice() -> None:
    """TERM=dumb cannot draw, so nothing is drawn."""
    with in_terminal(env=environment(TERM="dumb")) as terminal:
        assert terminal.end() == 2
    assert "--compact" in terminal.seen
    assert "\x1b" not in terminal.seen


def test_a_width_leaves_out_figures() -> None:
    """`--width` alone is a line, of at most so many cells."""
    whole = in_process("--compact", "--demo=stack", "--demo-at", "20").stdout.rstrip("\n")
    narrow = run("--width", "20", "--demo=stack", "--demo-at", "20").stdout.rstrip("\n")
    assert len(narrow) <= 20 < len(whole)
    assert set(narrow.split(" │ ")) < set(whole.split(" │ "))


def test_version() -> None:
    """One line with the version, wherever it stands."""
    assert run("--version").stdout == f"tokentop {__version__}\n"
    assert in_process("doctor", "--version").returncode == 0


def test_help_is_complete() -> None:
    """The help names every view, an example of each and every exit code, and fits 80 columns."""
    done = run("--help")
    assert done.returncode == 0
    words = ("--compact", "--json", "--watch", "--check", "--demo-at", "doctor", "config --example")
    assert all(word in done.stdout for word in (*words, "exit codes", "examples"))
    rows = [line.split()[0] for line in done.stdout.splitlines() if line.strip()]
    assert [name for name in FIELDS if name not in rows] == []
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("words", [("config", "--ascii"), ("--ascii", "config")])
def test_options_stand_before_or_after_the_word(words: tuple[str, ...]) -> None:
    """The order of word and options does not matter, and the flag is named as the origin."""
    done = in_process(*words)
    assert done.returncode == 0
    assert any("ascii = true" in line and "--ascii" in line for line in done.stdout.splitlines())


def test_the_example_configuration_is_accepted(tmp_path: object) -> None:
    """What `config --example` prints can be given back to --config."""
    example = f"{tmp_path}/tokentop.toml"
    with open(example, "w", encoding="utf-8") as file:
        file.write(run("config", "--example").stdout)
    done = in_process("config", "--config", example)
    assert done.returncode == 0, done.stderr
    assert example in done.stdout


def test_an_unknown_variable_is_reported_once_beside_the_line() -> None:
    """On standard error, so that a status bar shows the line as ever."""
    env = environment(TOKENTOP_THEME="light")
    done = in_process("--compact", "--demo=stack", "--demo-at", "20", env=env)
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert done.stderr.startswith("tokentop: environment variable TOKENTOP_THEME: nothing reads it")
    assert done.stderr.count("\n") == 1
