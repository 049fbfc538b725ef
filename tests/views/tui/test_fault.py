"""A fault of tokentop's own costs one picture, and is reported in the footer."""

import pytest

from tests.views.tui.conftest import MakeApp
from tests.views.tui.pilot import app_of, picture
from tokentop.domain.snapshot import Snapshot


async def test_a_picture_that_cannot_be_made_is_reported(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last picture stays, the footer names kind and place, and no value is shown."""

    def broken(now: float, wall: float) -> Snapshot:
        raise KeyError("sk-secret")

    async with make_app().run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app = app_of(pilot)
        monkeypatch.setattr(app.session.collector, "snapshot", broken)
        app.session._changed()
        await pilot.pause()
        text = picture(app)
    assert "No new picture: unexpected KeyError in test_fault.py" in text
    assert "sk-secret" not in text
    assert "LLM slots" in text
