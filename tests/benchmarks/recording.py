"""What recording costs, and how a long recording opens.

Limits: the app's CPU with recording and history on at most 1.1 x without; a recording of ten
million snapshots opens and goes to any moment without reading what lies before.
"""

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.process import median
from tests.benchmarks.screen import watch
from tests.benchmarks.world import environ, fake_gpus, services
from tests.recordings import START, recorded
from tokentop.config.schema import Config
from tokentop.runtime.live.replay import ReplaySession
from tokentop.transport.recording.reader import Recording
from tokentop.transport.recording.writer import RecordingWriter, Target

HOUR = 900  # snapshots at 4 s
LINE = '{{"schema":"tokentop/1","at":"{}","interval_s":4.0,"demand":{{"tier":"low"}}}}'


def size(folder: Path) -> None:
    """Bytes of an hour of the demo: eight GPUs, three engines, seven services."""
    path = folder / "hour.rec"
    made = recorded(path, HOUR)  # as far as the demo's past reaches
    each = path.stat().st_size / len(made)
    print(f"{each * HOUR / 1e6:.2f} MB an hour, {each:.0f} bytes a snapshot")


def long(folder: Path, count: int) -> None:
    """Opens a recording of `count` small snapshots, and goes to a hundred moments of it."""
    path = folder / "long.rec"
    writer = RecordingWriter(Target(str(path)))
    for number in range(count):
        at = datetime.fromtimestamp(START + 4.0 * number, UTC).isoformat(timespec="milliseconds")
        writer.add(LINE.format(at).encode(), "low")
    writer.close()
    began = time.perf_counter()
    session = ReplaySession(Config(), Recording(str(path)), lambda *_: None)
    opened = time.perf_counter() - began
    jumps: list[float] = []
    for number in range(100):
        began = time.perf_counter()
        session.seek(START + 4.0 * count * (number * 37 % 100) / 100)
        jumps.append(time.perf_counter() - began)
    print(
        f"{count:,} snapshots: opened in {opened:.2f} s, a jump takes {median(jumps) * 1e3:.1f} ms"
    )


def cpu(folder: Path, rounds: int, seconds: float) -> None:
    """The app's CPU with recording and history on, against without, in turn."""
    ratios: list[float] = []
    with services() as urls, fake_gpus("moving") as gpus:
        for number in range(rounds):
            env = environ(urls, gpus)
            without = watch({**env, "TOKENTOP_HISTORY": "false"}, seconds).cpu
            both = watch(env, seconds, "--record", str(folder / f"{number}.rec")).cpu
            ratios.append(both / without)
            print(f"{without * 100:.2f} % of a core without, {both * 100:.2f} % with both")
    print(f"with recording and history x{median(ratios):.2f} (limit x1.1)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size(folder)
        long(folder, given.samples)
        cpu(folder, given.rounds, given.seconds)


if __name__ == "__main__":
    main()
