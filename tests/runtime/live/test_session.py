"""The session behind the screen: a changed file is noticed, whatever is polled."""

import asyncio
from pathlib import Path

import pytest

from tests.cli.stack import serving
from tests.runtime.live.conftest import Tasks
from tokentop.config.load import load
from tokentop.config.reload import reloader
from tokentop.runtime.live.reload import IN_FORCE
from tokentop.runtime.live.session import Session
from tokentop.sources.aither.endpoints import SERVICES

LONG_S = 20.0
FLAGS = {"gpus": False, "discovery.enabled": False, "interval_s": 0.5, "ui.state": False}


@pytest.mark.parametrize("polled", [True, False])
async def test_a_changed_file_is_read_again(
    polled: bool, spawn: Tasks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an answer in every round, and where nothing is polled that could answer."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    file = tmp_path / "config.toml"
    file.write_text("")
    said: asyncio.Queue[str] = asyncio.Queue()
    with serving() as url:
        environ = {service.env: url for service in SERVICES.values()}
        off = {} if polled else {f"services.{name}.enabled": False for name in SERVICES}
        config = load({**FLAGS, **off}, environ, str(file))
        again = reloader({**FLAGS, **off}, environ, str(file))
        session = Session(config, lambda *_: None)
        assert bool(session.collector.sources) == polled
        await session.start(spawn, again, notify=said.put_nowait)
        file.write_text("[pricing]\neverything_free = false\n")
        assert await asyncio.wait_for(said.get(), LONG_S) == IN_FORCE
        assert not session.config.policy.pricing.everything_free
        session.stop()
