"""Polling runs as Textual workers: the framework's own tools see and cancel it."""

from pathlib import Path

from textual.worker import WorkerState

from tests.views.tui.conftest import frozen
from tokentop.config.reload import reloader
from tokentop.views.tui.app import TokentopApp

AITHER = ("genesis", "microscheduler", "compute", "accel", "parallel", "mint", "acta")


def live(folder: Path) -> TokentopApp:
    """An app on the demo in real time, with a configuration file to watch."""
    config = frozen(0.0)
    config = config._replace(demo=config.demo._replace(at_s=None))
    return TokentopApp(config, reloader=reloader({}, {}, str(folder / "config.toml")))


async def test_every_source_has_a_worker_of_its_own(tmp_path: Path) -> None:
    """Named after what it polls and grouped by its kind."""
    app = live(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        while "driver" not in {worker.name for worker in app.workers}:
            await pilot.pause()
        groups: dict[str, set[str]] = {}
        for worker in app.workers:
            groups.setdefault(worker.group, set()).add(worker.name)
            assert worker.state is WorkerState.RUNNING
        polled = {name.removeprefix("poll ").partition("/")[0] for name in groups.pop("services")}
        assert polled == set(AITHER)
        assert groups == {
            "driver": {"driver"},
            "driver answers": {"driver answers"},
            "configuration": {"watch configuration file"},
        }
        before = set(app.workers)
        await pilot.press("r", "plus", "minus")
        await pilot.pause()
        assert set(app.workers) == before
    assert all(worker.is_finished for worker in app.workers), "the end cancels them"


async def test_the_frozen_demo_polls_nothing() -> None:
    """No worker runs."""
    async with TokentopApp(frozen(100.0)).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert not list(pilot.app.workers)
