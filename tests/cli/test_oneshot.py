"""`--compact` and `--json` against services on loopback: figures, exit codes, time, secrets."""

import json
from pathlib import Path
from time import monotonic

import pytest

from tests.cli.command import environment, in_process, run
from tests.cli.stack import GPU, QUEUE, serving
from tokentop.domain.snapshot import AITHER_SERVICES

LINE = "GPU 42% │ VRAM 18.2/24.0G │ Q 3 │ ×2.13 │ free │ cloud 1\n"
FULL = {"compute_pressure": {"pressure": 0.99}}


def test_the_line_from_a_stack_that_answers() -> None:
    """Every figure comes from its service; standard error stays empty and no escape is written."""
    with serving() as url:
        done = run("--compact", "--no-gpus", env=environment(url))
    assert (done.stdout, done.stderr, done.returncode) == (LINE, "", 0)


def test_json_is_one_line_of_the_published_schema() -> None:
    """One object on one line, from the same answers."""
    with serving() as url:
        done = run("--json", "--no-gpus", env=environment(url))
    value = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert value["schema"] == "tokentop/1"
    assert value["llm"]["queued"] == 3
    assert value["pricing"]["base_cost_tokens"] == 12
    assert all(value["services_online"].values())
    assert done.returncode == 0


@pytest.mark.parametrize("flag", ["--compact", "--json"])
def test_nothing_answers(flag: str) -> None:
    """With no live source the output is whole all the same, and the exit code is 3."""
    done = in_process(flag, "--no-gpus")
    assert done.returncode == 3
    assert done.stderr == ""
    if flag == "--json":
        assert not any(json.loads(done.stdout)["services_online"].values())
    else:
        assert done.stdout == "DOWN stack │ GPU — │ VRAM — │ Q — │ — │ free │ cloud —\n"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"compute_pressure": {"pressure": 0.2}}, 0),
        ({"compute_pressure": {"pressure": 0.85}}, 1),
        (FULL, 2),
        ({"compute_pressure": {"pressure": 0.2}, "llm_queue": QUEUE | {"queued": 48}}, 2),
    ],
)
def test_check_gives_the_banner_mode(changed: dict[str, object], code: int) -> None:
    """Under --check the exit code is the mode: 0 normal, 1 pressure, 2 saturated."""
    with serving(**changed) as url:
        done = in_process("--check", "--no-gpus", env=environment(url))
    assert done.returncode == code
    assert done.stdout.removeprefix("FULL 5/48 ").partition("GPU")[2].startswith(" 42%")
    assert done.stdout.startswith("FULL 5/48 +") == (code == 2)


def test_check_of_a_silent_stack_is_critical() -> None:
    """It is configured and nothing answers: 2, for JSON too."""
    assert run("--check", "--no-gpus").returncode == 2
    assert in_process("--check", "--json", "--no-gpus").returncode == 2


def test_check_where_nothing_is_set_up_is_unknown(tmp_path: Path) -> None:
    """Nothing is configured and nothing was ever seen: 3, and the line says so."""
    off = "".join(f"[services.{name}]\nenabled = false\n" for name in AITHER_SERVICES)
    config = tmp_path / "config.toml"
    config.write_text(off)
    env = {k: v for k, v in environment().items() if not k.startswith("AITHER_")}
    done = in_process("--check", "--no-gpus", "--config", str(config), env=env)
    assert (done.returncode, done.stdout) == (3, "GPU — │ VRAM — │ no engine\n")


def test_full_comes_first() -> None:
    """A saturated stack begins the line with FULL: a narrow line is cut at its end."""
    with serving(**FULL) as url:
        done = in_process("--compact", "--no-gpus", env=environment(url))
    assert done.stdout.startswith("FULL 5/48 +3 │ GPU 42% │")


def test_a_template() -> None:
    """--format alone is the compact view, with unknown figures as a dash."""
    with serving() as url:
        done = in_process(
            "--format", "{models} {active:3d} {kv:.0%}", "--no-gpus", env=environment(url)
        )
    assert (done.stdout, done.returncode) == ("qwen3.6-27b   5 —\n", 0)


def test_one_hanging_service_costs_its_own_time_only(tmp_path: Path) -> None:
    """The others are on the line, the whole ends at the deadline, and the exit code is 0."""
    config = tmp_path / "tokentop.toml"
    config.write_text("timeout = 1.0\ndeadline = 1.5\n")
    with serving(mint_rates=None, agents=None) as url:
        began = monotonic()
        done = run("--compact", "--no-gpus", "--config", str(config), env=environment(url))
        took = monotonic() - began
    assert (done.stdout, done.returncode) == (LINE, 0)
    assert took < 3.0


def test_hostile_answers_never_reach_the_terminal() -> None:
    """Escape sequences in names are gone from the line, and JSON carries none raw."""
    evil = "\x1b[31mred\x1b]0;title\x07\u202e\n"
    with serving(llm_queue=QUEUE | {"models_loaded": [evil]}, gpu_metrics=b"<html>") as url:
        line = in_process("--format", "{models}", "--no-gpus", env=environment(url))
        whole = in_process("--json", "--no-gpus", env=environment(url))
    assert line.stdout.rstrip("\n").isprintable()
    assert "red" in line.stdout
    assert whole.stdout.isascii()
    assert json.loads(whole.stdout)["gpus"][0]["name"] == GPU["name"]


def test_a_token_is_never_printed(tmp_path: Path) -> None:
    """Neither the views, nor the doctor, nor the configuration show a token."""
    config = tmp_path / "tokentop.toml"
    token = '[services.genesis]\ntoken_env = "GENESIS_TOKEN"\n'
    config.write_text("[gpus]\nenabled = false\n" + token)
    with serving(llm_queue=401) as url:
        env = environment(url, GENESIS_TOKEN="hunter2-secret")
        for words in (("--compact",), ("--json",), ("doctor",), ("config",)):
            done = in_process(*words, "--config", str(config), env=env)
            assert "hunter2" not in done.stdout + done.stderr


def test_unverified_tls_is_a_warning_away_from_the_data() -> None:
    """AITHER_TLS_VERIFY=false is said once on standard error, never on the line."""
    env = environment("https://127.0.0.1:9", AITHER_TLS_VERIFY="false")
    done = in_process("--compact", "--no-gpus", env=env)
    assert done.stderr.count("\n") == 1
    assert "not verified" in done.stderr
    assert "AITHER_TLS_VERIFY" in done.stderr
    assert "verified" not in done.stdout


def test_a_full_disk_is_one_sentence() -> None:
    """Output that cannot be written is an error, not a traceback."""
    words = ("--compact", "--demo=stack", "--demo-at", "60")
    done = run(*words, wrapper=("sh", "-c", '"$0" "$@" >/dev/full'))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_closed_standard_output_is_no_crash() -> None:
    """With standard output closed the exit code still gives the mode."""
    done = run("--check", "--demo=stack", "--demo-at", "100", wrapper=("sh", "-c", '"$0" "$@" >&-'))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_an_ascii_locale_gets_ascii() -> None:
    """Where the encoding cannot say our signs, stand-ins are printed."""
    env = environment(PYTHONIOENCODING="ascii")
    done = run("--compact", "--demo=stack", "--demo-at", "60", env=env)
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert " | x" in done.stdout
