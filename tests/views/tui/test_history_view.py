"""The history view over any stretch: zoom, pan, and a cursor that gives the figures under it."""

import asyncio
import re
from collections.abc import AsyncIterator
from os import uname
from pathlib import Path
from time import time

import pytest

from tests.views.tui.pilot import AppPilot, app_of, picture, pressed
from tokentop.config.load import load
from tokentop.config.schema import DiscoveryConfig
from tokentop.domain.history import Sample
from tokentop.transport.history.place import store_path
from tokentop.transport.history.store import Store
from tokentop.views.tui.app import TokentopApp

HOUR_S, DAY_S = 3600.0, 86_400.0


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> float:
    """Two days of a sample a minute: 100 tokens/s, but 1900 in one minute of five hours ago."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    now = time()
    store = Store(store_path(uname().nodename) or "", 64 * 2**20)
    store.add(
        Sample(now - 60 * n, gpu_utilization=0.5, power_w=1900.0 if n == 300 else 100.0)
        for n in range(2 * 24 * 60)
    )
    store.close()
    return now


@pytest.fixture
async def pilot(kept: float) -> AsyncIterator[AppPilot]:
    """The history view of a machine that has nothing now and had something before."""
    config = load({}, {}, None)
    config = config._replace(services=(), gpus=False, discovery=DiscoveryConfig(enabled=False))
    async with TokentopApp(config).run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        yield pilot


async def settled(pilot: AppPilot, *keys: str) -> str:
    """The picture after keys, with the past that they ask for."""
    await pressed(pilot, *keys)
    await app_of(pilot).workers.wait_for_complete(
        [worker for worker in app_of(pilot).workers if worker.name == "read the past"]
    )
    await pilot.pause()
    return picture(app_of(pilot))


async def test_zoom(pilot: AppPilot) -> None:
    """Three hours are flat; six hours have the peak; the axis has times of day, then dates."""
    assert "Nothing to draw yet" in picture(app_of(pilot))
    app = app_of(pilot)
    while (app.view.span_s or 0) < 3 * HOUR_S:
        shown = await settled(pilot, "right_square_bracket")
    assert "Power" in shown
    assert "Nothing to draw yet" not in shown
    highest = max(s.power_w or 0.0 for s in app._past.mean)
    assert highest == 100.0
    shown = await settled(pilot, "right_square_bracket")
    assert app.view.span_s == 6 * HOUR_S
    assert max(s.power_w or 0.0 for s in app._past.mean) == 1900.0
    assert ":00" in shown
    await settled(pilot, *["right_square_bracket"] * 3)
    assert app.view.span_s == 3 * DAY_S


async def test_pan(pilot: AppPilot) -> None:
    """Half a span at a time, back to now and no further."""
    app = app_of(pilot)
    await settled(pilot, *["right_square_bracket"] * 3)
    span_s = app.view.span_s
    assert span_s is not None
    before = app._past.mean[0].t
    await settled(pilot, "comma", "comma")
    assert app._past.mean[0].t == pytest.approx(before - span_s, abs=120)
    assert app.view.ends_at == pytest.approx(app.session.now() - span_s, abs=30)
    await settled(pilot, "full_stop", "full_stop", "full_stop")
    assert app.view.ends_at is None


async def test_the_cursor_gives_mean_lowest_and_highest(pilot: AppPilot) -> None:
    """Where a slice has more than one sample; esc takes the cursor away, then the stretch."""
    app = app_of(pilot)
    while (app.view.span_s or 0) < DAY_S:
        await settled(pilot, "right_square_bracket")
    slice_s = DAY_S / 600
    at = next(s.t for s in app._past.mean if (s.power_w or 0.0) > 100.0)
    app._change_view(app.view._replace(moment=at + slice_s / 4))
    shown = await pressed(pilot)
    assert re.search(r"100 W-1[,.]9\S* W", shown), shown
    await pressed(pilot, "escape")
    assert (app.view.moment, app.view.span_s) == (None, DAY_S)
    await pressed(pilot, "escape")
    assert app.view.span_s is None


async def test_a_damaged_past_is_a_sentence(pilot: AppPilot, kept: float) -> None:
    path = store_path(uname().nodename)
    assert path is not None
    await asyncio.to_thread(Path(path).write_bytes, b"\xff" * 9000)
    shown = await settled(pilot, "right_square_bracket")
    assert "The history cannot be read: it is damaged." in shown
