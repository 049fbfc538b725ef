"""A recording that fails: the sentence once, the mark as long as it lasts."""

from pathlib import Path

from tests import examples
from tokentop.config.schema import RecordingConfig
from tokentop.domain.snapshot_json import encode
from tokentop.runtime.recorder import Recorder


def test_a_failure_is_said_once_and_marked_until_it_is_over(tmp_path: Path) -> None:
    """A folder that is missing, and is there again."""
    said: list[str] = []
    recorder, encoded = Recorder(said.append), encode(examples.low())
    config = RecordingConfig(file=str(tmp_path / "gone" / "night.rec"))
    for _ in range(3):
        recorder.record(config, encoded, "low")
        assert str(tmp_path) in recorder.failed
    assert len(said) == 1
    (tmp_path / "gone").mkdir()
    recorder.record(config, encoded, "low")
    recorder.close()
    assert recorder.failed == ""
    assert said[1:] == [f"recording to {config.file} again"]
