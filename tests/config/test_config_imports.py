"""The one-line view loads the configuration on every run: what that may cost."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from tokentop.config.load import load
load({}, {"HOME": sys.argv[1]}, sys.argv[2] if len(sys.argv) > 2 else None)
print(*sorted(sys.modules))
"""
HEAVY = {"textual", "rich", "httpx", "asyncio", "pydantic", "dataclasses", "inspect", "logging",
         "pathlib", "subprocess", "http.client", "email", "urllib.request", "importlib.metadata",
         "ssl", "socket", "urllib.parse", "difflib", "pynvml"}  # fmt: skip
FILE_ONLY = {"tomllib"}


def imported(*arguments: str) -> set[str]:
    command = [sys.executable, "-S", "-c", SCRIPT, *arguments]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    return set(done.stdout.split())


@pytest.mark.skipif(sys.flags.dev_mode, reason="development mode imports on its own")
def test_without_a_file_nothing_of_a_file_is_imported(tmp_path: Path) -> None:
    """No parser, no suggestions, no network, none of the full screen's libraries."""
    assert not imported(str(tmp_path)) & (HEAVY | FILE_ONLY)


def test_a_file_brings_its_parser_only(tmp_path: Path) -> None:
    """A right file needs tomllib; suggestions are imported for mistakes alone."""
    path = tmp_path / "config.toml"
    path.write_text("interval = 2")
    modules = imported(str(tmp_path), str(path))
    assert modules >= FILE_ONLY
    assert not modules & (HEAVY - {"pathlib", "dataclasses", "inspect"})
