"""A recording played as the screen's session: its clock, its steps, its past."""

import asyncio
from pathlib import Path

import pytest

from tests.recordings import START, recorded
from tests.runtime.live.conftest import Tasks
from tokentop.config.schema import Config
from tokentop.domain.past import Past, Stretch
from tokentop.domain.snapshot import Snapshot
from tokentop.runtime.live.replay import SPEEDS, ReplaySession
from tokentop.transport.recording.reader import Recording

COUNT = 60
END = START + 4.0 * (COUNT - 1)


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Snapshot]]:
    """A recording of four minutes, and what it is of."""
    path = tmp_path_factory.mktemp("replay") / "demo.rec"
    return str(path), recorded(path, COUNT)


class Played:
    """A session, and what it has shown."""

    def __init__(self, path: str) -> None:
        self.shown: list[tuple[Snapshot, float]] = []
        self.changed = asyncio.Event()
        self.session = ReplaySession(Config(), Recording(path), self._show)

    def _show(self, snapshot: Snapshot, at: float) -> None:
        self.shown.append((snapshot, at))
        self.changed.set()

    @property
    def at(self) -> float:
        return self.session.now() - START


@pytest.fixture
def played(tape: tuple[str, list[Snapshot]]) -> Played:
    return Played(tape[0])


def test_it_begins_with_the_first_snapshot(
    played: Played, tape: tuple[str, list[Snapshot]]
) -> None:
    assert played.session.snapshot() == tape[1][0]
    assert (played.at, played.session.playing, played.session.speed) == (0.0, True, 1.0)
    assert played.session.wall() == START


def test_time_passes_as_it_did(played: Played, tape: tuple[str, list[Snapshot]]) -> None:
    """A snapshot is shown when its moment comes, and once."""
    for _ in range(9):
        played.session.advance(1.0)
    assert [snapshot for snapshot, _ in played.shown] == tape[1][1:3]
    assert played.at == 9.0


def test_at_speed_it_shows_the_newest_that_is_due(
    played: Played, tape: tuple[str, list[Snapshot]]
) -> None:
    for _ in range(3):
        played.session.faster(1)
    assert played.session.speed == 10.0
    played.session.advance(2.0)
    assert [snapshot for snapshot, _ in played.shown] == [tape[1][5]]


def test_speeds_end_at_both_ends(played: Played) -> None:
    for _ in SPEEDS:
        played.session.faster(1)
    assert played.session.speed == SPEEDS[-1]
    for _ in SPEEDS:
        played.session.faster(-1)
    assert played.session.speed == SPEEDS[0]


def test_steps_pause_and_go_one_snapshot(played: Played, tape: tuple[str, list[Snapshot]]) -> None:
    played.session.advance(8.0)
    played.session.step(1)
    played.session.step(1)
    played.session.step(-1)
    assert played.session.snapshot() == tape[1][3]
    assert (played.at, played.session.playing) == (12.0, False)


def test_at_the_end_it_stands_still_and_begins_again(played: Played) -> None:
    played.session.advance(1e6)
    assert (played.session.now(), played.session.playing) == (END, False)
    played.session.pause()
    assert (played.at, played.session.playing) == (0.0, True)


@pytest.mark.parametrize(("to", "shown"), [(21.0, 5), (-1e9, 0), (1e9, COUNT - 1), (20.0, 5)])
def test_a_jump_goes_to_the_snapshot_of_that_moment(
    played: Played, tape: tuple[str, list[Snapshot]], to: float, shown: int
) -> None:
    """Or to the nearest end."""
    played.session.seek(START + to)
    assert played.session.snapshot() == tape[1][shown]


async def test_after_a_jump_there_is_a_past(spawn: Tasks, played: Played) -> None:
    """Charts, trends and events are those of the time before the moment."""
    played.session.pause()  # else real time passes too
    await played.session.start(spawn)
    played.session.seek(START + 120.0)
    played.changed.clear()
    await played.changed.wait()
    samples = played.session.samples()
    assert [sample.t - START for sample in samples] == [4.0 * n for n in range(31)]
    assert any(sample.tokens_per_s for sample in samples)
    played.session.advance(8.0)
    assert played.session.samples()[-1].t == START + 128.0
    assert played.session.events()


async def test_what_is_played_while_the_past_is_read_is_in_it(spawn: Tasks, played: Played) -> None:
    played.session.pause()
    await played.session.start(spawn)
    await asyncio.sleep(0)
    played.session.seek(START + 120.0)
    for _ in range(3):  # until the past of that moment is being read
        await asyncio.sleep(0)
    played.session.advance(8.0)
    played.changed.clear()
    await played.changed.wait()
    assert played.session.samples()[-1].t == START + 128.0


async def test_any_stretch_of_the_recording_is_read(
    played: Played, tape: tuple[str, list[Snapshot]]
) -> None:
    """Each snapshot once where there are more slices than snapshots; one a slice where not."""
    found = await played.session.past(Stretch(START + 100.0, START + 200.0))
    assert [sample.t - START for sample in found.mean] == [4.0 * n for n in range(25, 51)]
    assert found.mean[-1].queued == tape[1][50].llm.queued
    assert found.low == found.high == found.mean
    month = await played.session.past(Stretch(END - 30 * 86_400.0, END))
    assert [sample.t for sample in month.mean] == [END]
    assert await played.session.past(Stretch(START - 900.0, START - 300.0)) == Past()


def test_the_timeline_has_every_tier(played: Played, tape: tuple[str, list[Snapshot]]) -> None:
    played.session.seek(START + 59.0)
    timeline = played.session.timeline
    assert set(timeline.tiers) - {None} == {snapshot.demand.tier for snapshot in tape[1]}
    assert timeline.fraction == pytest.approx(59 / (END - START))


def damaged(path: str, folder: Path) -> str:
    """A copy with a hundred bytes before it that belong to nothing."""
    copy = folder / "damaged.rec"
    copy.write_bytes(b"\xff" * 100 + Path(path).read_bytes())
    return str(copy)


async def test_damage_is_reported_and_the_rest_is_played(
    spawn: Tasks, tape: tuple[str, list[Snapshot]], tmp_path: Path
) -> None:
    said: list[str] = []
    played = Played(damaged(tape[0], tmp_path))
    await played.session.start(spawn, None, said.append)
    assert said == ["100 bytes of the recording are damaged and left out"]
    assert played.session.snapshot() == tape[1][0]
