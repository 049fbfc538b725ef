"""Records snapshots where the configuration says so; a disk that refuses stops nothing."""

from collections.abc import Callable

from tokentop.config.schema import RecordingConfig
from tokentop.domain.snapshot_json import line_of
from tokentop.domain.verdict.values import Tier
from tokentop.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokentop.transport.recording.writer import RecordingWriter


class Recorder:
    """Appends snapshots to the configured file; what goes wrong is one sentence to `report`.

    It is reported once, and tried again with the next snapshot; `failed` holds it meanwhile.
    """

    def __init__(self, report: Callable[[str], object]) -> None:
        self._report = report
        self._config = RecordingConfig()
        self._writer: RecordingWriter | None = None
        self.failed = ""

    def record(
        self, config: RecordingConfig, encoded: dict[str, object], tier: Tier | None
    ) -> None:
        """Append an encoded snapshot, of that tier, where this configuration says."""
        if config != self._config:
            self.close()
            self._config = config
        if config.file is None:
            return
        from tokentop.transport.recording.writer import RecordingError, RecordingWriter, Target

        try:
            if self._writer is None:
                limits = (config.rotate_mb * 1e6, config.rotate_hours * 3600, config.keep)
                self._writer = RecordingWriter(Target(config.file, *limits))
            self._writer.add(line_of(encoded).encode(), tier)
        except RecordingError as error:
            self._say(str(error))
        else:
            self._say(f"recording to {config.file} again" if self.failed else "")

    def close(self) -> None:
        """Complete the file."""
        if self._writer is not None:
            from tokentop.transport.recording.writer import RecordingError

            try:
                self._writer.close()
            except RecordingError as error:
                self._say(str(error))
            self._writer = None

    def _say(self, sentence: str) -> None:
        if sentence and sentence != self.failed:
            self._report(sentence)
        self.failed = "" if sentence.endswith(" again") else sentence
