"""A fault of tokentop's own costs one picture, and is said."""

import pytest

from tests.views.tui.conftest import MakeApp
from tests.views.tui.test_keys import picture
from tokentop.domain.snapshot import Snapshot


async def test_a_picture_that_cannot_be_made_is_said(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last picture stays, the footer names kind and place, and no value is shown."""

    def broken(now: float) -> Snapshot:
        raise KeyError("sk-secret")

    async with make_app().run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app = pilot.app
        monkeypatch.setattr(app.session, "_fold", broken)  # type: ignore[attr-defined]
        app.session._changed()  # type: ignore[attr-defined]
        await pilot.pause()
        text = picture(app)  # type: ignore[arg-type]
    assert "No new picture: unexpected KeyError in test_fault.py" in text
    assert "sk-secret" not in text
    assert "LLM slots" in text
