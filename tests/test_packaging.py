"""What is shipped and what is installed: the wheel's promises, the lock, the bounds."""

import re
import tomllib
from importlib.metadata import files, version
from pathlib import Path

import plotext
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
RUNTIME = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = PROJECT["optional-dependencies"]
OPTIONAL = [Requirement(line) for extra in ("serve", "web", "ledger") for line in EXTRAS[extra]]
DEVELOPMENT = [Requirement(line) for line in EXTRAS["dev"]]
LOCK = (ROOT / ".ci" / "lock.txt").read_text()
LOCKED = dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\\n]+)", LOCK, re.MULTILINE))
PRIVATE_NAMES = ("textual", "rich", "httpx", "httpcore", "uvicorn")


def test_the_types_that_are_claimed_are_shipped() -> None:
    """A type checker reads a package's annotations only where it has py.typed."""
    assert "Typing :: Typed" in PROJECT["classifiers"]
    assert (ROOT / "tokentop" / "py.typed").exists()


@pytest.mark.parametrize("wanted", [*RUNTIME, *OPTIONAL], ids=lambda wanted: wanted.name)
def test_every_dependency_is_bounded_above(wanted: Requirement) -> None:
    """A new major version is tried before users get it; where private names are used, a minor."""
    (bound,) = [one.version for one in wanted.specifier if one.operator == "<"]
    assert not wanted.specifier.contains(bound)
    if wanted.name in PRIVATE_NAMES:
        assert wanted.specifier.contains(version(wanted.name))


@pytest.mark.parametrize(
    "wanted", [*RUNTIME, *OPTIONAL, *DEVELOPMENT], ids=lambda wanted: wanted.name
)
def test_the_lock_is_in_step_with_the_ranges(wanted: Requirement) -> None:
    """Everything that pyproject.toml names is locked at a version that it allows."""
    locked = LOCKED[wanted.name.lower().replace("_", "-")]
    assert wanted.specifier.contains(locked)


def test_the_base_install_has_neither_web_server_nor_signatures() -> None:
    """What one command alone needs is an extra."""
    assert not {wanted.name for wanted in OPTIONAL} & {wanted.name for wanted in RUNTIME}


def test_the_charts_need_no_compiler() -> None:
    """plotext 6 has native code, without wheels for Alpine or for macOS on Intel."""
    shipped = [str(path) for path in files("plotext") or ()]
    assert shipped
    assert not [path for path in shipped if path.endswith((".so", ".pyd", ".dylib"))]
    assert plotext.__version__.startswith("5.3")


def test_everything_locked_has_a_hash() -> None:
    """Else pip would refuse the whole file, or an attacker's wheel be taken."""
    entries = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert len(entries) == len(LOCKED) > 30
    assert [entry[:40] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("words", ["What tokentop reads", "What it sends", "What it stores"])
def test_the_security_policy_is_where_forges_look(words: str) -> None:
    """And says what the program touches, beside how to report."""
    text = (ROOT / ".github" / "SECURITY.md").read_text()
    assert f"## {words}" in text
    assert "Report a vulnerability" in text


def test_the_command_is_named_as_the_package() -> None:
    """`uvx tokentop` and `pipx run tokentop` start the command that has the package's name."""
    assert list(PROJECT["scripts"]) == [PROJECT["name"]] == ["tokentop"]
    assert {"description", "readme", "license", "requires-python"} <= set(PROJECT)


def test_the_manual_is_installed_where_man_looks() -> None:
    """The wheel puts it there; .ci/package installs one and looks."""
    shared = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert shared == {"tokentop/share/tokentop.1": "share/man/man1/tokentop.1"}
    assert all((ROOT / path).exists() for path in shared)


@pytest.mark.parametrize("name", ["lock", "twine"])
def test_ci_installs_only_what_has_a_hash(name: str) -> None:
    """What checks the packages is locked as what makes them is."""
    text = (ROOT / ".ci" / f"{name}.txt").read_text()
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) > 20
    assert [entry[:40] for entry in entries if "--hash=sha256:" not in entry] == []
