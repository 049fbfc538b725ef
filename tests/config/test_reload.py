"""A configuration file that changes while tokentop runs."""

import os
from pathlib import Path
from time import time_ns

import pytest

from tokentop.config.load import ConfigError
from tokentop.config.reload import Reloader, reloader
from tokentop.config.schema import Config


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokentop" / "config.toml"
    path.parent.mkdir()
    return path


def watching(file: Path, **overrides: object) -> Reloader:
    return reloader(overrides, {"XDG_CONFIG_HOME": str(file.parent.parent)}, None)


def write(file: Path, text: str) -> None:
    """Replace the file as editors do, by renaming a new one over it."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, file)


def test_nothing_is_read_while_nothing_changes(file: Path) -> None:
    """An unchanged file costs a look at its date only."""
    write(file, "[pricing]\neverything_free = true\n")
    assert watching(file).poll() is None


def test_a_flipped_switch_holds_from_the_next_poll(file: Path) -> None:
    """everything_free = false in the file is what the next poll gets, once."""
    write(file, "[pricing]\neverything_free = true\n")
    watched = watching(file)
    write(file, "[pricing]\neverything_free = false\n")
    changed = watched.poll()
    assert isinstance(changed, Config)
    assert not changed.policy.pricing.everything_free
    assert watched.poll() is None


def test_a_file_that_comes_and_goes_is_a_change(file: Path) -> None:
    """Creating the file sets its values, removing it brings the defaults back."""
    watched = watching(file)
    write(file, "[pricing]\nceiling = 9.0\n")
    assert isinstance(created := watched.poll(), Config)
    assert created.policy.pricing.ceiling == 9.0
    file.unlink()
    assert isinstance(removed := watched.poll(), Config)
    assert removed.policy.pricing.ceiling == 6.0


def test_a_file_that_is_being_written_is_left_alone(file: Path) -> None:
    """`cp` and shells empty a file before they fill it; one that stays empty has no values."""
    write(file, "[pricing]\nceiling = 9.0\n")
    watched = watching(file)
    file.write_text("")
    assert watched.poll() is None
    file.write_text("[pricing]\nceiling = 8.0\n")
    assert isinstance(written := watched.poll(), Config)
    assert written.policy.pricing.ceiling == 8.0
    file.write_text("")
    os.utime(file, ns=(0, time_ns() - 2_000_000_000))
    assert isinstance(emptied := watched.poll(), Config)
    assert emptied.policy.pricing.ceiling == 6.0


def test_a_broken_file_is_reported_once_and_the_mended_one_taken(file: Path) -> None:
    """What is wrong comes as the usual sentences; the next good file is read again."""
    watched = watching(file)
    write(file, "[pricing]\nceiling = 0.5\n")
    broken = watched.poll()
    assert isinstance(broken, ConfigError)
    assert "pricing.ceiling" in str(broken)
    assert watched.poll() is None
    write(file, "[pricing]\nceiling = 2.5\n")
    assert isinstance(watched.poll(), Config)


def test_flags_still_win(file: Path) -> None:
    """A flag given at the start outranks the changed file too."""
    watched = watching(file, interval_s="7")
    write(file, "interval = 2.0\n")
    changed = watched.poll()
    assert isinstance(changed, Config)
    assert changed.interval_s == 7
