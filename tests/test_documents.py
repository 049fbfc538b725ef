"""CONTRIBUTING and the READMEs name files and modules that exist."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    "CONTRIBUTING.md",
    "README.md",
    "tokentop/share/ledger.md",
    "tests/benchmarks/README.md",
)
PLACEHOLDER = "KIND"
SKIPPED = {".venv", ".git", "__pycache__"}


def files() -> list[str]:
    """Every file of the repository, as a path that starts with a slash."""
    found = (path for path in ROOT.rglob("*") if not SKIPPED & set(path.parts))
    return ["/" + str(path.relative_to(ROOT)) for path in found if path.is_file()]


def picture() -> Iterator[Path]:
    """The paths of CONTRIBUTING's picture: a name's folder is the one it is indented under."""
    block = (ROOT / "CONTRIBUTING.md").read_text().split("```\ntokentop/\n")[1].split("```")[0]
    folders = [(0, ROOT / "tokentop")]
    for line in block.splitlines():
        indent = len(line) - len(line.lstrip())
        while folders[-1][0] >= indent:
            folders.pop()
        for name in re.match(r"\s*((?:[\w.]+(?:/|\.py)(?:, )?)*)", line)[1].split(", "):  # type: ignore[index]
            if name:
                yield folders[-1][1] / name
        if line.strip().partition(" ")[0].endswith("/"):
            folders.append((indent, folders[-1][1] / line.split()[0]))


def test_the_picture_is_the_tree() -> None:
    """Every name stands where it is drawn, and no package of the top is left out."""
    drawn = list(picture())
    assert len(drawn) > 30
    assert [str(path) for path in drawn if not path.exists()] == []
    packages = {path.parent for path in (ROOT / "tokentop").glob("*/__init__.py")}
    assert packages <= set(drawn)


@pytest.mark.parametrize("document", DOCUMENTS[:2])
def test_every_file_that_is_named_exists(document: str) -> None:
    named = set(re.findall(r"[\w./-]*\w\.(?:py|md|svg|importlinter)\b", _text(document)))
    known = files()
    assert named
    missing = [name for name in named if not any(path.endswith("/" + name) for path in known)]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_module_that_is_run_exists(document: str) -> None:
    modules = set(re.findall(r"python3? -m ((?:tests|tokentop)[\w.]*)", _text(document)))
    assert [name for name in modules if find_spec(name) is None] == []


def _text(document: str) -> str:
    lines = (ROOT / document).read_text().splitlines()
    return "\n".join(line for line in lines if PLACEHOLDER not in line)
