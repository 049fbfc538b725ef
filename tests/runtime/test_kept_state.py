"""What the next call finds of the last one's state, however much that was."""

import os
from pathlib import Path

import pytest

from tokentop.config.load import load
from tokentop.config.schema import EngineConfig
from tokentop.runtime.oneshot.kept_state import keep_state, recall_state

DEFAULT = load({}, {}, None)
OTHER = DEFAULT._replace(engines=(EngineConfig("a", "http://10.0.0.5:8000", None),))


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "tokentop"


def test_where_counters_are_too_many_it_is_known_who_was_seen() -> None:
    """Of 400 engines with their histograms the file would have 3 MB; 2 is the most."""
    row = {"url": "http://127.0.0.1:8000", "read_before": True, "rates": {"sets": ["x" * 8000]}}
    engines = {f"vllm@{n}": row for n in range(400)}
    state = {"tiers": {"a": ["high", 1.0]}, "engines": engines}
    keep_state(DEFAULT, state)
    found = recall_state(DEFAULT)
    assert found == {**state, "engines": {key: {**row, "rates": None} for key in engines}}


def test_one_with_many_engines_takes_no_room_from_another() -> None:
    large = {"engines": {"vllm@a": {"model": "x" * 1_900_000}}}
    small = {"engines": {"vllm@b": {"model": "y" * 500_000}}}
    keep_state(DEFAULT, large)
    keep_state(OTHER, small)
    assert (recall_state(DEFAULT), recall_state(OTHER)) == (large, small)


def test_what_is_older_than_ten_minutes_is_removed(kept: Path) -> None:
    keep_state(DEFAULT, {"tiers": {}})
    (old,) = kept.glob("state-*.json")
    os.utime(old, (1.0, 1.0))
    keep_state(OTHER, {"tiers": {}})
    (left,) = kept.glob("state-*.json")
    assert left != old
