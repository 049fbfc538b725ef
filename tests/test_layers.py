"""The import contract: no package stands outside it, and each forbidden direction breaks it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

# (module that is given an import, what it must not import)
FORBIDDEN = (
    ("domain.text", "config.schema"),
    ("sources.exposition", "config.problems"),
    ("transport.procfs", "config.problems"),
    ("config.problems", "transport.procfs"),
    ("config.values", "collect.breaker"),
    ("transport.user_cache", "runtime.live.poller"),
    ("runtime.live.poller", "views.palette"),
    ("runtime.live.session", "runtime.serve.hub"),
    ("runtime.serve.hub", "views.schema"),
)


def lint(folder: Path) -> str:
    """What lint-imports prints of the package in `folder`, on one line."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()",
         "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )  # fmt: skip
    return re.sub(r"\s+", " ", done.stdout + done.stderr)


def copied(tmp_path: Path) -> Path:
    """A copy of the package and its contract."""
    shutil.copytree(ROOT / "tokentop", tmp_path / "tokentop")
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def test_every_forbidden_direction_breaks_the_contract(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    for importer, imported in FORBIDDEN:
        file = folder / "tokentop" / (importer.replace(".", "/") + ".py")
        file.write_text(f"import tokentop.{imported}\n{file.read_text()}")
    said = lint(folder)
    unnoticed = [
        f"{importer} -> {imported}"
        for importer, imported in FORBIDDEN
        if f"tokentop.{importer} -> tokentop.{imported}" not in said
    ]
    assert unnoticed == []


def test_no_package_stands_outside_the_contract(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "tokentop" / "shortcuts.py").write_text('"""Outside every layer."""\n')
    said = lint(folder)
    assert "shortcuts" in said
    assert "BROKEN" in said or "not included" in said.casefold() or "missing" in said.casefold()
