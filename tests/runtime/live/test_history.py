"""The screen's session and the history store: the last hour goes on where an earlier run ended."""

import asyncio
from os import uname
from pathlib import Path
from time import time

import pytest

from tests.cli.stack import serving
from tests.runtime.live.conftest import Tasks
from tokentop.config.load import load
from tokentop.config.schema import Config
from tokentop.domain.history import Sample
from tokentop.domain.past import Stretch
from tokentop.runtime.live.session import Session
from tokentop.sources.aither.endpoints import SERVICES
from tokentop.transport.history.place import store_path
from tokentop.transport.history.store import Store

MIB = 1024 * 1024


def config(url: str) -> Config:
    urls = {service.env: url for service in SERVICES.values()}
    return load({"gpus": False, "discovery.enabled": False, "interval_s": 0.5}, urls, None)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "tokentop"


async def polled(session: Session, changed: asyncio.Event, spawn: Tasks) -> None:
    """Until two rounds are there."""
    await session.start(spawn)
    await session.keep_history()
    known = len(session.samples())
    while len(session.samples()) < known + 2:
        changed.clear()
        await changed.wait()


async def test_a_run_goes_on_where_the_last_one_ended(state: Path, spawn: Tasks) -> None:
    """Its samples are in the last hour, on this run's clock; what is older can be read."""
    changed = asyncio.Event()
    with serving() as url:
        first = Session(config(url), lambda *_: changed.set())
        await polled(first, changed, spawn)
        first.stop()
        await spawn.cancel()
        second = Session(config(url), lambda *_: changed.set())
        await second.keep_history()
        found = second.samples()
        second.stop()
    assert {s.vram_fraction for s in found} == {first.samples()[-1].vram_fraction}
    assert found[0].vram_fraction == pytest.approx(18.2 / 24.0, abs=0.001)
    assert all(second.now() - 60 < s.t <= second.now() for s in found)


async def test_a_stretch_of_the_past(state: Path) -> None:
    """Yesterday is read from the store, its times on the session's clock."""
    session = Session(config("http://127.0.0.1:9"), lambda *_: None)
    await session.keep_history()
    session.stop()
    now = time()
    store = Store(store_path(uname().nodename) or "", MIB)
    store.add([Sample(now - 80_000, queued=3.0)])
    store.close()
    past = await session.past(Stretch(now - 86_400, now))
    assert [s.queued for s in past.mean] == [3.0]
    assert session.now() - past.mean[0].t == pytest.approx(80_000, abs=70)


async def test_what_goes_wrong_is_a_notice(state: Path, spawn: Tasks) -> None:
    """The screen goes on. Of two, whichever opens the store second says so."""
    said: asyncio.Queue[str] = asyncio.Queue()
    one, other = (Session(config("http://127.0.0.1:9"), lambda *_: None) for _ in range(2))
    for session in (one, other):
        await session.start(spawn, notify=said.put_nowait)
        await session.keep_history()
    sentence = await asyncio.wait_for(said.get(), 20)
    one.stop()
    other.stop()
    assert sentence.startswith("Another tokentop")
