"""A recording on the screen: the keys that move through it, and its last row."""

from datetime import datetime, timedelta

import pytest

from tests.recordings import START, recorded
from tests.views.tui.pilot import AppPilot, app_of, click, picture, pressed
from tokentop.config.load import load
from tokentop.transport.recording.reader import Recording
from tokentop.views.tui.replay import ReplayApp, moment

COUNT = 60


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("replay") / "demo.rec"
    recorded(path, COUNT)
    return str(path)


@pytest.fixture
async def pilot(tape: str):  # type: ignore[no-untyped-def]
    app = ReplayApp(load({}, {}, None), Recording(tape))
    async with app.run_test(size=(120, 40)) as running:
        await running.press("p")
        await running.pause()
        yield running


def at(pilot: AppPilot) -> float:
    """Seconds after the first snapshot."""
    return app_of(pilot).session.now() - START


def last_row(pilot: AppPilot) -> str:
    return picture(app_of(pilot)).splitlines()[-1]


async def test_it_looks_like_the_live_screen_with_one_row_more(pilot: AppPilot) -> None:
    rows = picture(app_of(pilot)).splitlines()
    assert "DEMO" in rows[0]
    assert "PAUSED" in rows[0]
    assert "GPU pool" in "".join(rows)
    assert ": go to" in rows[-2]
    assert rows[-1].startswith(" ┃━━")
    assert rows[-1].endswith(" paused ")


async def test_pause_and_play(pilot: AppPilot) -> None:
    assert "×1" in (await pressed(pilot, "p")).splitlines()[-1]
    assert "paused" in (await pressed(pilot, "space")).splitlines()[-1]


async def test_step_skip_and_the_mark_follows(pilot: AppPilot) -> None:
    begin = at(pilot)
    await pressed(pilot, ".", ".", ",")
    assert at(pilot) == pytest.approx(begin - begin % 4 + 4)
    await pressed(pilot, ")")
    assert at(pilot) == pytest.approx(begin - begin % 4 + 64)
    assert last_row(pilot).index("┃") == 1 + int(at(pilot) / (4 * (COUNT - 1)) * 111)
    await pressed(pilot, "(", "(")
    assert at(pilot) == 0.0


async def test_speed(pilot: AppPilot) -> None:
    await pressed(pilot, "+", "+", "-", "p")
    assert "×2" in last_row(pilot)


async def test_a_time_is_typed(pilot: AppPilot) -> None:
    """The row shows what is typed; figures are no keys meanwhile."""
    await pressed(pilot, ":", *"+99")
    assert last_row(pilot).startswith(" go to +99▏")
    await pressed(pilot, "backspace", "enter")
    assert at(pilot) == pytest.approx(9.0, abs=1.0)
    assert "Dashboard" not in picture(app_of(pilot))


async def test_escape_goes_nowhere_and_nonsense_is_explained(pilot: AppPilot) -> None:
    before = at(pilot)
    await pressed(pilot, ":", "5", "escape")
    assert "That is no time" in await pressed(pilot, ":", *"noon", "enter")
    assert at(pilot) == before


async def test_a_click_on_the_track_goes_there(pilot: AppPilot) -> None:
    await click(pilot, 1 + 111 // 2, 39)
    assert at(pilot) == pytest.approx(2 * (COUNT - 1), abs=4)
    await click(pilot, 119, 39)  # beside it
    assert at(pilot) == pytest.approx(2 * (COUNT - 1), abs=4)


async def test_the_help_has_the_keys_of_a_replay(pilot: AppPilot) -> None:
    """And none of those that poll or end something."""
    shown = await pressed(pilot, "question_mark")
    assert "Playing" in shown
    assert "A snapshot back" in shown
    assert not any(word in shown for word in ("Polling", "End the selected", "Forget"))


async def test_nothing_is_polled_or_ended(pilot: AppPilot) -> None:
    assert "nothing is polled" in await pressed(pilot, "r")
    assert "nothing to end" in await pressed(pilot, "2", "x")


@pytest.mark.parametrize(("size", "rows"), [((80, 24), 24), ((40, 10), 10), ((8, 2), 2)])
async def test_every_size_is_filled(tape: str, size: tuple[int, int], rows: int) -> None:
    app = ReplayApp(load({}, {}, None), Recording(tape))
    async with app.run_test(size=size) as running:
        await running.pause()
        lines = picture(app).splitlines()
        assert len(lines) == rows
        assert all(len(line) == size[0] for line in lines)


HERE = datetime(2026, 11, 21, 14, 30).astimezone()


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("12:03", HERE.replace(hour=12, minute=3)),
        (" 12:03:20 ", HERE.replace(hour=12, minute=3, second=20)),
        ("11-20 12:03", HERE.replace(day=20, hour=12, minute=3)),
        ("2025-01-02 03:04", HERE.replace(year=2025, month=1, day=2, hour=3, minute=4)),
        ("+5m", HERE + timedelta(minutes=5)),
        ("-90s", HERE - timedelta(seconds=90)),
        ("-1.5h", HERE - timedelta(hours=1.5)),
        ("+7", HERE + timedelta(seconds=7)),
    ],
)
def test_times_in_words(text: str, means: datetime) -> None:
    assert moment(text, HERE.timestamp()) == means.timestamp()


@pytest.mark.parametrize("text", ["", "noon", "25:00", "5m", "11-31 12:00", "+", "1e9"])
def test_what_is_no_time(text: str) -> None:
    assert moment(text, HERE.timestamp()) is None
