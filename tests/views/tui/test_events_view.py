"""Events on the screen: the newest in the footer, all of them under v."""

import pytest

from tests.views.tui.conftest import MakeApp
from tests.views.tui.pilot import AppPilot, app_of, picture, pressed
from tokentop.domain.readings import Failure
from tokentop.domain.snapshot import Snapshot
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


@pytest.mark.parametrize("view", ["1", "3"])
async def test_a_paused_picture_has_the_past_of_its_time(view: str, at_large: AppPilot) -> None:
    """Charts and sparklines drawn again, as for another size, end where it was paused."""
    app = app_of(at_large)
    await pressed(at_large, view)
    before = (await pressed(at_large, "p")).splitlines()[1:-1]
    for step in range(1, 9):
        app.session.frozen_at = 100.0 + 4 * step
        changed = busier(app.session.snapshot(), 200 * step)
        app.session._sample(changed, app.session.now())
    app._show()
    await at_large.pause()
    assert picture(app).splitlines()[1:-1] == before
    await pressed(at_large, "p")
    assert picture(app).splitlines()[1:-1] != before


def busier(snapshot: Snapshot, by: int) -> Snapshot:
    """The snapshot with so many requests that wait, and tokens/s, everywhere."""
    engines = tuple(
        engine._replace(queued=by, generation_tokens_per_s=float(by)) for engine in snapshot.engines
    )
    return snapshot._replace(llm=snapshot.llm._replace(queued=by), engines=engines)
