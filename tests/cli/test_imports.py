"""The one-line path imports nothing it does not print with: proved on the installed command."""

import json
import os
import sys
from pathlib import Path
from time import time

import pytest

from tests.cli.command import TOKENTOP, environment, run
from tests.cli.engines import VLLM, captured
from tests.cli.stack import serving

FORBIDDEN = {"textual", "rich", "httpx", "asyncio", "pydantic"}
HEAVY = {"dataclasses", "inspect", "logging", "pathlib", "subprocess", "http", "email", "ssl",
         "tomllib", "importlib.metadata", "urllib.request", "sqlite3", "typing",
         "zoneinfo"}  # fmt: skip

# Runs the installed console script as it stands, then tells what it had loaded.
HOOK = """
import json, os, sys
sys.argv = sys.argv[1:]
os._exit = sys.exit  # how a text view ends, before it could be told
try:
    exec(open(sys.argv[0]).read())  # runpy would load typing
finally:
    sys.stderr.write("\\nMODULES " + json.dumps(sorted(sys.modules)))
"""


def loaded(*words: str, env: dict[str, str]) -> set[str]:
    done = run(*words, env=env, wrapper=(sys.executable, "-X", "importtime", "-c", HOOK))
    assert done.returncode == 0, done.stderr
    assert TOKENTOP.endswith("tokentop")
    return set(json.loads(done.stderr.rpartition("MODULES ")[2]))


@pytest.mark.parametrize("flag", ["--compact", "--json", "--check"])
@pytest.mark.parametrize("demo", [False, True])
def test_the_one_line_path_is_light(flag: str, demo: bool) -> None:
    """None of the full screen's libraries, nor a heavy part of the standard one, is loaded."""
    with serving() as url:
        env = environment(url)
        modules = loaded(flag, *(["--demo-at", "20"] if demo else ["--no-gpus"]), env=env)
        bare = set(json.loads(_bare(env)))
    new = modules - bare
    assert "tokentop.views.oneshot" in new
    assert demo or "socket" not in new  # which the simulated network's connections derive from
    assert not {name for name in new if name.partition(".")[0] in FORBIDDEN}
    assert not {name for name in new if name in HEAVY}


@pytest.mark.parametrize("found", [False, True])
def test_engines_are_light_too(found: bool, tmp_path: Path) -> None:
    """A search loads nothing heavy; where none was found recently, nothing of engines at all."""
    tmp_path.chmod(0o700)
    kept = tmp_path / "tokentop" / "discovery.json"
    kept.parent.mkdir(0o700)
    with serving() as url, captured(VLLM) as engine:
        row = ["vllm", engine.url, [], None, None, None, "port", [], None, None]
        rows = [row] if found else []
        value = {"found": rows, "configured": [], "sockets": [], "complete": True}
        network = os.readlink("/proc/self/ns/net")
        kept.write_text(json.dumps({"at": time(), "network": network, "value": value}))
        stack = environment(url, XDG_RUNTIME_DIR=str(tmp_path), TOKENTOP_DISCOVERY="true")
        modules = loaded("--compact", "--no-gpus", env=stack)
        new = modules - set(json.loads(_bare(stack)))
    assert not {name for name in new if name.partition(".")[0] in FORBIDDEN}
    assert not {name for name in new if name in HEAVY}
    assert any("vllm" in name for name in new) == found
    assert ("tokentop.collect.engine" in new) == found


def _bare(env: dict[str, str]) -> str:
    """What the interpreter itself and the hook load, site packages' .pth files included."""
    import subprocess

    code = "import json, sys; print(json.dumps(sorted(sys.modules)))"
    return subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    ).stdout


def test_views_do_not_drag_each_other_in() -> None:
    """The line loads no JSON view, no doctor and no example configuration."""
    with serving() as url:
        modules = loaded("--compact", "--no-gpus", env=environment(url))
    others = {"tokentop.domain.snapshot_json", "tokentop.views.doctor.run", "tokentop.config.show"}
    assert not modules & others
    assert not {
        name for name in modules if name.startswith(("tokentop.demo", "tokentop.views.tui"))
    }
