"""Events on the screen: the newest in the footer, all of them under v."""

from tests.views.tui.conftest import MakeApp
from tests.views.tui.pilot import AppPilot, app_of, picture, pressed
from tokentop.domain.readings import Failure
from tokentop.views.tui.app import TokentopApp

DOWN = "acta does not answer: nothing listens there (compute_pressure)"


def stop(app: TokentopApp, service: str, at: float) -> None:
    """Nothing listens at any of a service's endpoints any more, as the poller would report it."""
    for source in app.session.collector.sources:
        if source.service == service:
            failure = Failure("refused", "nothing listens there")
            app.session.collector.record(source.key, failure, at)
    app.session._changed()


async def test_v_lists_the_run_with_the_newest_first(make_app: MakeApp) -> None:
    """The demo's walk: every tier up and down, and the service that fails; esc goes back."""
    async with make_app(150.0).run_test(size=(120, 40)) as pilot:
        before = picture(app_of(pilot))
        rows = (await pressed(pilot, "v")).splitlines()
        found = [row for row in rows if "12:0" in row and "demand" in row]
        assert "fell from high to moderate" in found[0]
        assert "rose from idle to low" in found[-1]
        (down,) = (row for row in rows if "parallel does not answer" in row)
        (back,) = (row for row in rows if "parallel answers again" in row)
        assert down.split()[1] == "12:01:02"
        assert rows.index(back) < rows.index(down)
        assert await pressed(pilot, "escape") == before


async def test_the_newest_is_in_the_footer(at_large: AppPilot) -> None:
    """In words, with where the rest is; polls that change nothing say nothing."""
    app = app_of(at_large)
    app.session._changed()
    await at_large.pause()
    assert "q quit" in picture(app).splitlines()[-1]
    stop(app, "acta", 100.5)
    await at_large.pause()
    assert picture(app).splitlines()[-1].strip() == f"{DOWN} · v lists all"
    app._clear_notice(app.view.notice)
    app.session._changed()
    await at_large.pause()
    assert "q quit" in picture(app).splitlines()[-1]


async def test_several_at_once_are_counted(at_large: AppPilot) -> None:
    """The footer has one sentence, and how many more there are."""
    app = app_of(at_large)
    for source in app.session.collector.sources:
        if source.service in ("acta", "mint", "parallel"):
            app.session.collector.record(source.key, Failure("refused", "gone"), 100.5)
    app.session._changed()
    await at_large.pause()
    assert " · 2 more: v" in picture(app).splitlines()[-1]


async def test_a_paused_picture_has_the_events_of_its_time(at_large: AppPilot) -> None:
    """What happens meanwhile is listed when the pause ends."""
    app = app_of(at_large)
    await pressed(at_large, "v", "p")
    app.session.frozen_at = 101.0
    stop(app, "acta", 101.0)
    assert "acta" not in "\n".join((await pressed(at_large, "v")).splitlines()[:-1])
    assert DOWN in await pressed(at_large, "p")
