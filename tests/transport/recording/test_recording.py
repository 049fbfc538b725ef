"""A recording comes back whole; what is torn or damaged costs only itself."""

import gzip
import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tokentop.domain.snapshot import Demand, Snapshot
from tokentop.domain.snapshot_json import dumps
from tokentop.domain.verdict.values import Tier
from tokentop.transport.recording.frames import FRAME
from tokentop.transport.recording.reader import Place, Recording
from tokentop.transport.recording.writer import RecordingError, RecordingWriter, Target

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
TIERS: tuple[Tier | None, ...] = ("idle", "surge", None, "saturated")


def line(number: int, every_s: float = 4.0) -> bytes:
    """The snapshot of one poll, as it is recorded."""
    at = (START + timedelta(seconds=number * every_s)).isoformat(timespec="milliseconds")
    tier = TIERS[number % len(TIERS)]
    demand = Demand(tier=tier, message=os.urandom(20).hex())  # text that cannot be compressed
    return dumps(Snapshot(at=at.replace("+00:00", "Z"), demand=demand)).encode()


def moment(number: int, every_s: float = 4.0) -> int:
    return round((START.timestamp() + number * every_s) * 1000)


def write(path: Path, lines: list[bytes], **config: float) -> None:
    writer = RecordingWriter(Target(str(path), **config))  # type: ignore[arg-type]
    for number, each in enumerate(lines):
        writer.add(each, TIERS[number % len(TIERS)])
    writer.close()


def read(path: Path) -> list[bytes]:
    return [each for _, each in Recording(str(path)).all()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "night.rec"


def test_what_was_recorded_comes_back(file: Path) -> None:
    """Line by line, over several frames; another reader of gzip finds the same."""
    lines = [line(number) for number in range(2 * FRAME + 5)]
    write(file, lines)
    assert read(file) == lines == gzip.decompress(file.read_bytes()).splitlines()
    found = Recording(str(file))
    assert (found.first_ms, found.last_ms, found.damaged) == (moment(0), moment(2 * FRAME + 4), 0)
    assert [len(frame.tiers) for frame in found.frames] == [FRAME, FRAME, 5]
    assert found.frames[0].tiers[:4] == TIERS
    assert file.stat().st_mode & 0o777 == 0o600


def test_every_line_can_be_read_while_it_is_written(file: Path) -> None:
    """A replay may follow a recording that goes on."""
    writer = RecordingWriter(Target(str(file)))
    for number in range(5):
        writer.add(line(number), TIERS[number % 4])
        found = Recording(str(file))
        assert found.last_ms == moment(number)
        assert found.frames[-1].tiers == (*TIERS, "idle")[: number + 1]
    writer.close()


def test_a_torn_tail_loses_only_itself(file: Path) -> None:
    """Wherever the power was cut, every line that was whole by then is read."""
    writer = RecordingWriter(Target(str(file)))
    lines = [line(number) for number in range(6)]
    ends: list[int] = []
    for each in lines:
        writer.add(each, None)
        ends.append(file.stat().st_size)
    whole = file.read_bytes()
    for size in range(ends[0], len(whole), 7):
        file.write_bytes(whole[:size])
        found = read(file)
        assert len(found) >= sum(end <= size for end in ends)
        assert found == lines[: len(found)]
    writer.close()


def test_after_a_power_cut_it_goes_on_behind_the_tear(file: Path) -> None:
    lines = [line(number) for number in range(6)]
    write(file, lines[:3])
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size - 40)
    write(file, lines[3:])
    assert read(file) == lines[:2] + lines[3:]


def test_damage_costs_its_own_frame(file: Path) -> None:
    """Those before and behind it are whole."""
    lines = [line(number) for number in range(3 * FRAME)]
    write(file, lines)
    second = Recording(str(file)).frames[1]
    with file.open("r+b") as opened:
        opened.seek(second.offset + second.size // 2)
        opened.write(bytes(4096))
    found = read(file)
    assert found[:FRAME] == lines[:FRAME]
    assert found[-FRAME:] == lines[-FRAME:]
    assert set(found) <= set(lines)


@pytest.mark.parametrize("header", [bytes(40), b"\xff" * 40])
def test_a_damaged_header_costs_no_snapshot(file: Path, header: bytes) -> None:
    """The frame is then read to the next mark."""
    lines = [line(number) for number in range(FRAME + 3)]
    write(file, lines)
    with file.open("r+b") as opened:
        opened.seek(16)
        opened.write(header)
    assert read(file) == lines


def test_a_moment_is_found_without_reading_what_lies_before(file: Path) -> None:
    write(file, [line(number) for number in range(3 * FRAME)])
    found = Recording(str(file))
    assert found.find(moment(FRAME + 7)) == Place(1, 7)
    assert found.find(moment(FRAME + 7) - 1) == Place(1, 6)
    assert found.find(0) == Place(0, 0)
    assert found.find(moment(10**6)) == Place(2, FRAME - 1)


def test_steps_cross_frames_and_end_at_the_ends(file: Path) -> None:
    write(file, [line(number) for number in range(2 * FRAME)])
    found = Recording(str(file))
    assert found.moved(Place(0, FRAME - 1), 1) == Place(1, 0)
    assert found.moved(Place(1, 0), -1) == Place(0, FRAME - 1)
    assert found.moved(Place(1, 5), -1000) == Place(0, 0)
    assert found.moved(Place(0, 5), 1000) == Place(1, FRAME - 1)


def test_a_full_file_becomes_the_first_of_those_kept(file: Path) -> None:
    """By size: the newest two stay, and are played with the file as one."""
    lines = [line(number) for number in range(400)]
    write(file, lines, max_bytes=10_000, keep=2)
    assert sorted(path.name for path in file.parent.iterdir()) == [
        "night.rec",
        "night.rec.1",
        "night.rec.2",
    ]
    assert all(path.stat().st_size < 12_000 for path in file.parent.iterdir())
    found = read(file)
    assert 0 < len(found) < len(lines)
    assert found == lines[-len(found) :]


def test_an_old_file_is_rotated_too(file: Path) -> None:
    """Also one that an earlier run has begun."""
    lines = [line(number, every_s=600.0) for number in range(20)]
    write(file, lines[:2], max_age_s=3600, keep=9)
    write(file, lines[2:], max_age_s=3600, keep=9)
    assert len(list(file.parent.iterdir())) == 4
    assert read(file) == lines


def test_a_second_writer_is_refused(file: Path) -> None:
    writer = RecordingWriter(Target(str(file)))
    with pytest.raises(RecordingError, match=r"night\.rec is being recorded to by another process"):
        RecordingWriter(Target(str(file)))
    writer.close()
    RecordingWriter(Target(str(file))).close()


def test_another_kind_of_file_is_left_as_it_is(file: Path) -> None:
    file.write_text("my diary\n")
    with pytest.raises(RecordingError, match=r"night\.rec is no recording; it is left as it is"):
        RecordingWriter(Target(str(file)))
    assert file.read_text() == "my diary\n"


@pytest.mark.parametrize("place", [".", "none/night.rec"])
def test_a_place_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    with pytest.raises(RecordingError, match=r"cannot be recorded to: (Is a dir|No such file)"):
        RecordingWriter(Target(str(tmp_path / place)))


@contextmanager
def most_bytes(count: int) -> Iterator[None]:
    """The system refuses to let a file of this process grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_refuses_loses_only_what_it_refused(file: Path) -> None:
    """What was written before is read, and recording goes on when there is room."""
    lines = [line(number) for number in range(60)]
    writer = RecordingWriter(Target(str(file)))
    refused: list[str] = []
    with most_bytes(3000):
        for each in lines[:50]:
            try:
                writer.add(each, None)
            except RecordingError as error:
                refused.append(str(error))
    for each in lines[50:]:
        writer.add(each, None)
    writer.close()
    assert set(refused) == {f"{file} cannot be recorded to: File too large"}
    kept = 50 - len(refused)
    assert kept > 0
    found = read(file)
    assert found[:kept] == lines[:kept]
    assert found[-10:] == lines[-10:]


@pytest.mark.parametrize("content", [b"", b"text", b"\x1f\x8b\x08\x04" * 9, bytes(99)])
def test_what_holds_no_snapshot_is_no_recording(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(RecordingError, match=r"holds no snapshot that can be read"):
        Recording(str(file))


def test_a_file_that_is_not_there(file: Path) -> None:
    with pytest.raises(RecordingError, match=r"cannot be read: No such file"):
        Recording(str(file))


def test_a_line_of_no_snapshot_is_left_out(file: Path) -> None:
    """A member of another program's gzip, say."""
    write(file, [line(0), b'{"at":"yesterday"}', json.dumps([1]).encode(), line(1)])
    assert len(read(file)) == 2
