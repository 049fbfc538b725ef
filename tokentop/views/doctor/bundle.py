"""`tokentop doctor --bundle FILE`: a bug report as one zip file, every secret removed."""

import gzip
import json
import os
import platform
import sys
from collections import deque
from collections.abc import Iterable
from importlib.metadata import distributions
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from tokentop import __version__
from tokentop.config import show
from tokentop.config.schema import Config, secrets
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_json import encode
from tokentop.secret import Secret, redacted
from tokentop.transport.recording.reader import Recording
from tokentop.transport.recording.writer import RecordingError

MOST = 900  # snapshots: an hour at an interval of 4 s
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
NO_RECORDING = "nothing is recorded here: tokentop --record FILE does"


def write(path: str, config: Config, report: str, snapshot: Snapshot) -> str:
    """Write the bundle, readable by its owner alone, and return what it holds in a sentence.

    Raises OSError where it cannot be written; a file that is there is left as it is.
    """
    hidden = secrets(config)
    parts = {
        "report.txt": redacted(report, hidden),
        "configuration.txt": redacted(show.effective(config), hidden),
        "versions.txt": versions(),
        "snapshot.json": json.dumps(_clean(encode(snapshot), hidden), indent=1),
    }
    found = _recorded(config)
    lines = found if isinstance(found, list) else []
    with os.fdopen(os.open(path, _NEW, 0o600), "wb") as opened, ZipFile(opened, "w") as bundle:
        for name, text in parts.items():
            bundle.writestr(name, text, ZIP_DEFLATED)
        if lines:
            bundle.writestr("recording.jsonl.gz", _compressed(lines, hidden))
    last = f"the last {len(lines)} of the recording" if lines else f"no recording: {found}"
    return f"{path} has the report, the configuration, versions, a snapshot; {last}"


def versions() -> str:
    """This program, the interpreter, the system, and every package beside them."""
    packages = sorted({f"{each.name} {each.version}" for each in distributions()}, key=str.lower)
    system = [f"tokentop {__version__}", f"Python {sys.version}", platform.platform()]
    return "\n".join([*system, "", *packages]) + "\n"


def _recorded(config: Config) -> list[bytes] | str:
    """The newest lines of the configured recording, or why there are none."""
    if config.recording.file is None:
        return NO_RECORDING
    try:
        recording = Recording(config.recording.file)
    except RecordingError as error:
        return str(error)
    newest: deque[bytes] = deque(maxlen=MOST)
    for frame in range(max(0, len(recording.frames) - MOST), len(recording.frames)):
        newest.extend(line for _, line in recording.rows(frame))
    return list(newest)


def _compressed(lines: Iterable[bytes], hidden: Iterable[Secret]) -> bytes:
    found = BytesIO()
    with gzip.open(found, "wt") as opened:
        for line in lines:
            opened.write(json.dumps(_clean(json.loads(line), hidden)) + "\n")
    return found.getvalue()


def _clean(value: object, hidden: Iterable[Secret]) -> object:
    """The same JSON value, each text in it without secrets."""
    if isinstance(value, str):
        return redacted(value, hidden)
    if isinstance(value, list):
        return [_clean(each, hidden) for each in value]
    if isinstance(value, dict):
        return {_clean(name, hidden): _clean(each, hidden) for name, each in value.items()}
    return value
