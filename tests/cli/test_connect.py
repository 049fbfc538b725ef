"""`--connect` as installed: the text views of another machine's collector."""

import json
from pathlib import Path

import pytest

from tests import examples
from tests.cli.command import environment, in_process, run
from tests.servers.service import service
from tests.views.test_schema import problems
from tokentop.domain.snapshot_json import dumps
from tokentop.runtime.serve.guard import Rules
from tokentop.secret import Secret

TOKEN = "0123456789abcdef0123456789abcdef"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return environment(XDG_RUNTIME_DIR=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path))


def test_the_json_is_the_hosts_own(env: dict[str, str]) -> None:
    """Key for key what is served, whatever this machine has."""
    with service(examples.high()) as there:
        done = run("--json", "--connect", there.url, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads(dumps(examples.high()))


def test_the_line_and_the_check_are_the_hosts(env: dict[str, str]) -> None:
    surge = examples.STATES["surge"]()
    with service(surge) as there:
        line = run("--format", "{host} {multiplier:.2f}", "--connect", there.url, env=env)
        check = run("--check", "--connect", there.url, env=env)
    assert line.stdout == f"{surge.host} {surge.pricing.multiplier:.2f}\n"
    assert check.returncode == 1  # pressure


def test_a_host_that_is_silent_is_named(env: dict[str, str]) -> None:
    """The object is valid still, with the reason in it and one sentence beside it."""
    done = run("--json", "--connect", NOWHERE, env=env)
    found = json.loads(done.stdout)
    assert done.returncode == 3
    assert done.stderr == f"tokentop: nothing listens at {NOWHERE}\n"
    assert problems(found) == []
    assert [row["reason"] for row in found["services"]] == ["refused"]


@pytest.mark.parametrize("by", ["flag", "file"])
def test_a_token_is_sent_to_the_host_it_is_for(
    by: str, env: dict[str, str], tmp_path: Path
) -> None:
    """From --token-file beside --connect, or from the [[host]] of that URL."""
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    words = ["--token-file", str(tmp_path / "token")]
    with service(examples.high(), Rules(token=Secret(TOKEN))) as there:
        if by == "file":
            file = tmp_path / "config.toml"
            file.write_text(f'[[host]]\nurl = "{there.url}"\ntoken_file = "token"\n')
            words = ["--config", str(file)]
        assert run("--compact", "--connect", there.url, env=env).returncode == 3
        done = run("--compact", "--connect", there.url, *words, env=env)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_token_for_serving_goes_nowhere(env: dict[str, str], tmp_path: Path) -> None:
    """The token that [serve] names opens this machine's door; it is not for others to see."""
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    file = tmp_path / "config.toml"
    file.write_text('[serve]\ntoken_file = "token"\n')
    with service(examples.high(), Rules(token=Secret(TOKEN))) as there:
        done = run("--compact", "--connect", there.url, "--config", str(file), env=env)
    assert done.returncode == 3
    assert "wants a token" in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--json", "--connect", NOWHERE, "--connect", "http://127.0.0.1:8"), "one --connect"),
        (("doctor", "--connect", NOWHERE), "--connect is for"),
        (("--demo", "--connect", NOWHERE), "cannot go together"),
        (("--compact", "--connect", "gpu-box"), "http://"),
        (("--compact", "--token-file", "x"), "belong to `tokentop serve`"),
    ],
)
def test_what_cannot_be_is_refused(
    words: tuple[str, ...], sentence: str, env: dict[str, str]
) -> None:
    done = in_process(*words, env=env)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_a_token_does_not_travel_in_the_clear(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    words = ("--connect", "http://gpu-box:8765", "--token-file", str(tmp_path / "token"))
    done = in_process("--compact", *words, env=env)
    assert done.returncode == 2
    assert "unencrypted" in done.stderr
    assert TOKEN not in done.stderr
