"""The configuration file changes while the screen is up."""

import os
from pathlib import Path

import pytest

from tokentop.collect.collector import Collector
from tokentop.config.load import load
from tokentop.config.reload import reloader
from tokentop.runtime.demo import fast_forward
from tokentop.runtime.live.reload import IN_FORCE, RESTART, ConfigReloader

AT_S = 60.0


class Watched:
    """A demo's collector at one moment, its file, and what was said of the file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "config.toml"
        self.file.write_text("")
        flags = {"demo.enabled": True, "demo.part": "stack", "demo.at_s": AT_S}
        config = load(flags, {}, str(self.file))
        self.collector = Collector(config, "host", demo=True)
        fast_forward(self.collector, config)
        self.said: list[str] = []
        again = reloader(flags, {}, str(self.file))
        self.reloading = ConfigReloader(again, self.collector, self.said.append)

    def write(self, text: str) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text)
        os.replace(fresh, self.file)
        self.reloading.look(self.reloading.take)

    def cost(self) -> float | None:
        return self.collector.snapshot(AT_S, AT_S).pricing.effective_cost_tokens


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_costs_are_real_on_the_next_poll(watched: Watched) -> None:
    """Turning everything_free off in the file needs no restart, turning it on again neither."""
    assert watched.cost() == 0
    watched.write("[pricing]\neverything_free = false\n")
    assert (watched.cost() or 0) > 10
    watched.write("[pricing]\neverything_free = true\n")
    assert watched.cost() == 0
    assert watched.said == [IN_FORCE, IN_FORCE]


def test_a_broken_file_changes_nothing_and_is_said(watched: Watched) -> None:
    """The sentence names the key; the costs stay as they were."""
    watched.write("[pricing]\neverything_free = false\nceiling = 0.1\n")
    assert watched.cost() == 0
    assert len(watched.said) == 1
    assert "pricing.ceiling" in watched.said[0]


def test_what_needs_a_restart_is_said(watched: Watched) -> None:
    """An address changes at the next start only, and the screen says so."""
    watched.write('[services.mint]\nurl = "http://127.0.0.1:1"\n')
    assert watched.said == [RESTART]


def test_nothing_is_said_while_nothing_changes(watched: Watched) -> None:
    """Looking at an unchanged file is silent."""
    watched.reloading.look(watched.reloading.take)
    assert watched.said == []


def test_every_threshold_reaches_the_screen(watched: Watched) -> None:
    """What is said to have been read is used: the mark for silent burn follows the file."""
    assert watched.collector.config.policy.cost.silent_burn_at == 0.2
    watched.write("[cost]\nsilent_burn_at = 0.05\n")
    assert watched.said == [IN_FORCE]
    assert watched.collector.config.policy.cost.silent_burn_at == 0.05
