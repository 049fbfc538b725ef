"""Hosts as rows: what each shows of its snapshot, order, filter, sums."""

import pytest

from tests import examples
from tokentop.domain.hosts import HOST_SORTS, HostRow, host_row, listed, totals
from tokentop.domain.snapshot import Snapshot

ROWS = [
    HostRow("http://a", "alpha", tier="low", load=0.2, multiplier=1.1, gpus=(8, 8), vram=(10, 100),
            active=2, queued=0, tokens_per_s=100.0, cost=2.0, age_s=9.0),
    HostRow("http://b", "Beta", tier="surge", load=0.9, multiplier=5.8, gpus=(3, 4), vram=(90, 100),
            active=30, queued=7, tokens_per_s=900.0, cost=None, age_s=1.0),
    HostRow("http://c", "gamma", problem="nothing listens there"),
    HostRow("http://d", "delta", problem="it has sent nothing new", queued=50,
            gpus=(1, 1), age_s=60.0),
]  # fmt: skip


def order(sort: str) -> str:
    return "".join(row.key[-1] for row in listed(ROWS, sort))


@pytest.mark.parametrize(
    ("sort", "keys"),
    [
        ("name", "abdc"), ("tier", "badc"), ("load", "badc"), ("multiplier", "badc"),
        ("GPUs", "abdc"), ("VRAM", "badc"), ("queue", "dbac"), ("tok/s", "badc"),
        ("cost", "abdc"), ("age", "dabc"),
    ],
)  # fmt: skip
def test_figures_fall_and_the_unknown_comes_last(sort: str, keys: str) -> None:
    assert sort in HOST_SORTS
    assert order(sort) == keys


@pytest.mark.parametrize(
    ("words", "keys"), [("", "abdc"), ("BET", "b"), ("surge", "b"), ("nothing", "dc"), ("a x", "")]
)
def test_every_word_of_the_filter_must_be_there(words: str, keys: str) -> None:
    """In name, address, tier, health, headline or what is wrong."""
    assert "".join(row.key[-1] for row in listed(ROWS, wanted=words)) == keys


def test_only_hosts_that_are_heard_are_summed() -> None:
    """What a silent one last said is of another moment."""
    sums = totals(ROWS)
    assert (sums.hosts, sums.online) == (4, 2)
    assert (sums.gpus, sums.vram) == ((11, 12), (100, 200))
    assert (sums.active, sums.queued, sums.tokens_per_s, sums.cost) == (32, 7, 1000.0, 2.0)
    assert totals(ROWS[2:]).queued is None


def test_a_row_has_the_snapshots_figures() -> None:
    s = examples.high()
    row = host_row("http://x", "x", s)
    assert (row.tier, row.load) == (s.demand.tier, s.demand.utilization)
    assert (row.multiplier, row.queued) == (s.pricing.multiplier, s.llm.queued)
    assert row.gpus == (len(s.gpus), len(s.gpus))
    assert row.age_s == s.data_age_s


def test_nothing_is_made_of_what_is_unknown() -> None:
    """An empty snapshot has no figure, and none is 0."""
    row = host_row("http://x", "x", Snapshot())
    assert {row.load, row.gpus, row.vram, row.queued, row.cost, row.age_s} == {None}
