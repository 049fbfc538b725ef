"""The past over HTTP: a host's own store, read by a screen elsewhere."""

import os
import signal
from os import uname
from pathlib import Path
from time import time

import httpx
import pytest

from tests.runtime.live.test_remote import Screen
from tests.runtime.serve.test_server import demo
from tests.servers.service import service
from tokentop.config.load import load
from tokentop.domain.history import Sample
from tokentop.domain.past import Past, PastError, Stretch
from tokentop.runtime.serve.history import route
from tokentop.transport.history.place import store_path
from tokentop.transport.history.store import Store

PATH = "/api/system/token-economy/history"
KEPT = Past(
    (Sample(1000.0, queued=1.0, kv_cache=0.25),),
    (Sample(1000.0, queued=2.0, kv_cache=0.5, tokens_per_s=None),),
    (Sample(1000.0, queued=9.0, kv_cache=0.75),),
)


async def kept(stretch: Stretch) -> Past:
    """What stands where a session does; nothing before the beginning."""
    if stretch.start < 0:
        raise PastError("The history cannot be read: it is damaged.")
    return KEPT if stretch.start <= 1000.0 <= stretch.end else Past()


async def test_a_screen_reads_what_the_host_has_kept() -> None:
    """On the screen's own clock, with lowest and highest; no more than was asked for."""
    with service(pages=(route(kept),)) as host:
        session = Screen(host.url).session
        ahead = session.wall() - session.now()
        found = (await session.past(Stretch(500.0, 1500.0))).moved(ahead)
        assert found.mean[0].t == pytest.approx(1000.0, abs=0.1)
        for mine, theirs in zip(found, KEPT, strict=True):
            assert mine[0]._replace(t=0.0) == theirs[0]._replace(t=0.0)
        assert await session.past(Stretch(2000.0, 3000.0)) == Past()
        with pytest.raises(PastError, match="The past of box cannot be read"):
            await session.past(Stretch(-5.0, 3000.0))
    with service() as older, service(pages=(route(kept),)) as gone:
        assert await Screen(older.url).session.past(Stretch(0.0, 3000.0)) == Past()
    with pytest.raises(PastError, match="nothing listens"):
        await Screen(gone.url).session.past(Stretch(0.0, 3000.0))


def test_what_is_no_stretch_is_refused() -> None:
    """With the sentence that says what one is."""
    with service(pages=(route(kept),)) as host, httpx.Client(base_url=host.url) as web:
        for query in ("", "?start=1", "?start=2&end=1", "?start=nan&end=inf", "?start=a&end=b"):
            answer = web.get(PATH + query)
            assert (answer.status_code, "Unix seconds" in answer.text) == (400, True), query


async def test_the_service_answers_from_its_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Yesterday's figures, in Unix seconds, by the names of the columns."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    flags = {"gpus": False, "discovery.enabled": False}
    now = time()
    store = Store(store_path(uname().nodename) or "", 2**20)
    store.add([Sample(now - 80_000, queued=3.0)])
    store.close()
    async with demo([], load(flags, {}, None)) as (url, _), httpx.AsyncClient(base_url=url) as web:
        answer = (await web.get(PATH, params={"start": now - 86_400, "end": now - 60_000})).json()
        os.kill(os.getpid(), signal.SIGTERM)
    (row,) = answer["mean"]
    found = dict(zip(answer["figures"], row, strict=True))
    assert (found["queued"], found["multiplier"]) == (3.0, None)
    assert found["t"] == pytest.approx(now - 80_000, abs=70)
