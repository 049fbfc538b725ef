"""Recordings for the tests: of the demo, as `--record` makes them."""

from datetime import UTC, datetime
from pathlib import Path

from tokentop.collect.collector import Collector
from tokentop.config.load import load
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_json import dumps
from tokentop.runtime.demo import fast_forward
from tokentop.transport.recording.writer import RecordingWriter, Target

START = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


def snapshots(count: int) -> list[Snapshot]:
    """The last polls of the demo's whole machine, 4 s apart."""
    config = load({"demo.enabled": True, "demo.at_s": str(4.0 * count)}, {}, None)
    found: list[Snapshot] = []
    collector = Collector(config, "gpu-box-01", demo=True)
    fast_forward(collector, config, lambda snapshot, _: found.append(snapshot))
    return [
        snapshot._replace(at=_moment(START + 4.0 * number))
        for number, snapshot in enumerate(found[-count:])
    ]


def recorded(path: Path, count: int = 60) -> list[Snapshot]:
    """Record them, the first at START."""
    made = snapshots(count)
    writer = RecordingWriter(Target(str(path)))
    for snapshot in made:
        writer.add(dumps(snapshot).encode(), snapshot.demand.tier)
    writer.close()
    return made


def _moment(wall: float) -> str:
    at = datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")
    return at.replace("+00:00", "Z")
