"""A configuration file that was taken apart before: the same answers for the same text."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.command import environment, run
from tokentop.config import toml_file
from tokentop.config.problems import Problem
from tokentop.runtime import known_file
from tokentop.runtime.known_file import keep_parsed, parsed

TOML = '[ui]\ntheme = "light"\n\n[[engine]]\nurl = "http://10.0.0.5:8000"\nmax_slots = 16\n'
MODULES = """
import sys
from tokentop.cli import main
main(["--compact", "--config", sys.argv[1], "--no-discovery", "--format", "{gpus}"])
print(*sorted({"tomllib", "tokentop.runtime.known_file"} & set(sys.modules)))
"""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the calls of this test leave what they know."""
    place = tmp_path / "run"
    place.mkdir(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place))
    known_file._new.clear()
    return place / "tokentop"


def test_a_text_is_taken_apart_once(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its values and the lines of its keys come back, for this path and this text only."""
    first = parsed("/etc/t.toml", TOML)
    keep_parsed("/etc/t.toml")
    assert [file.stat().st_mode & 0o777 for file in kept.iterdir()] == [0o600]
    monkeypatch.setattr(known_file, "parse", lambda path, text: Problem(path, None, "", text))
    assert parsed("/etc/t.toml", TOML) == first
    assert isinstance(first, toml_file.Document)
    assert first.values["engine"] == [{"url": "http://10.0.0.5:8000", "max_slots": 16}]
    assert first.lines["engine[1].url"] == 5
    for path, text in (("/etc/t.toml", TOML.replace("16", "17")), ("/etc/u.toml", TOML)):
        assert isinstance(parsed(path, text), Problem)


def test_another_version_reads_it_anew(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed("/etc/t.toml", TOML)
    keep_parsed("/etc/t.toml")
    monkeypatch.setattr(known_file, "__version__", "99.0")
    monkeypatch.setattr(known_file, "parse", lambda path, text: Problem(path, None, "", text))
    assert isinstance(parsed("/etc/t.toml", TOML), Problem)


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"at": 1, "value": [1]}', b"\xff\xfe"])
def test_a_damaged_copy_is_none(kept: Path, damage: bytes) -> None:
    first = parsed("/etc/t.toml", TOML)
    keep_parsed("/etc/t.toml")
    (file,) = kept.iterdir()
    file.write_bytes(damage)
    assert parsed("/etc/t.toml", TOML) == first


NAMES = st.from_regex("[a-z]{1,4}", fullmatch=True)
_LEAVES = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aä\U0001f600 \\\"'\t#=[]", max_size=8)
)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
        return f'"{escaped}"'
    return repr(value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.dictionaries(
        st.from_regex("[a-z]{1,4}", fullmatch=True),
        _LEAVES | st.lists(_LEAVES, max_size=3),
        max_size=6,
    )
)
def test_values_come_back_as_they_were(kept: Path, values: dict[str, object]) -> None:
    """To the type: 1 is not 1.0, and no figure loses a digit."""
    text = "".join(f"{name} = {_toml(value)}\n" for name, value in values.items())
    first = parsed("/etc/t.toml", text)
    keep_parsed("/etc/t.toml")
    again = parsed("/etc/t.toml", text)
    assert repr(again) == repr(first)
    assert isinstance(again, toml_file.Document)
    assert again.values == values


def test_dates_are_parsed_each_time(kept: Path) -> None:
    """What JSON does not hold is not kept."""
    first = parsed("/etc/t.toml", "at = 2026-11-22T10:00:00Z\n")
    keep_parsed("/etc/t.toml")
    assert not list(kept.iterdir())
    assert parsed("/etc/t.toml", "at = 2026-11-22T10:00:00Z\n") == first


def test_a_second_call_loads_no_parser(kept: Path, tmp_path: Path) -> None:
    """Nor does a call without a file load what remembers one."""
    file = tmp_path / "tokentop.toml"
    file.write_text(TOML.replace("10.0.0.5:8000", "127.0.0.1:9"))
    words = [sys.executable, "-c", MODULES, str(file)]
    env = environment(XDG_RUNTIME_DIR=str(kept.parent))
    calls = [subprocess.run(words, env=env, capture_output=True, text=True) for _ in range(2)]
    assert [call.stdout.splitlines()[1] for call in calls] == [
        "tokentop.runtime.known_file tomllib",
        "tokentop.runtime.known_file",
    ], calls[0].stderr
    assert calls[0].stdout.splitlines()[0] == calls[1].stdout.splitlines()[0]


def test_a_changed_file_counts_at_once(kept: Path, tmp_path: Path) -> None:
    """Also where neither its size nor its time of change tells."""
    file = tmp_path / "tokentop.toml"
    env = environment(XDG_RUNTIME_DIR=str(kept.parent))
    origins = []
    for text in (
        '[ui]\ntheme = "light"\n',
        '[ui]\ntheme = "dark"\n',
        '[ui]\nthema = "light"\n',
    ):
        file.write_text(text)
        done = run("config", "--config", str(file), env=env)
        origins.append((done.returncode, "light" in done.stdout, "dark" in done.stdout))
    assert origins == [(0, True, False), (0, False, True), (2, False, False)]


def test_a_file_with_a_secret_leaves_no_copy(kept: Path, tmp_path: Path) -> None:
    """It is refused, and what was refused is not kept."""
    file = tmp_path / "tokentop.toml"
    file.write_text(TOML + 'token = "sk-do-not-keep"\n')
    done = run(
        "--compact", "--config", str(file), env=environment(XDG_RUNTIME_DIR=str(kept.parent))
    )
    assert done.returncode == 2
    assert "secret" in done.stderr
    assert not list(kept.parent.rglob("configuration-*"))


def test_what_another_call_parsed_is_not_kept(kept: Path) -> None:
    """A refused file is not kept by the next call of the same process, which has no file."""
    parsed("/etc/t.toml", TOML)
    keep_parsed(None)
    keep_parsed("/etc/t.toml")
    assert not kept.exists() or not list(kept.iterdir())


def test_a_refused_file_is_refused_again(kept: Path, tmp_path: Path) -> None:
    file = tmp_path / "tokentop.toml"
    file.write_text("interval = -1\n")
    env = environment(XDG_RUNTIME_DIR=str(kept.parent))
    first, second = (run("--compact", "--config", str(file), env=env) for _ in range(2))
    assert first.returncode == second.returncode == 2
    assert first.stderr == second.stderr != ""
