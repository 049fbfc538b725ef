"""A recording in so many cells: the worst tier of each, and where a moment lies."""

import pytest

from tokentop.domain.timeline import SLICES, Stretch, Timeline, cells, slices, worst


def test_the_worst_of_a_slice_is_its_colour() -> None:
    """A short surge is seen however long the recording is; unknown counts for nothing."""
    assert worst(["idle", None, "surge", "high"]) == "surge"
    assert worst([None, None]) is None
    assert worst([]) is None


def test_a_short_recording_has_each_snapshot_at_its_place() -> None:
    found = slices([Stretch(0.0, 30.0, ["idle", "high", "surge", None])], 0.0, 30.0)
    assert len(found) == SLICES
    places = {tier: found.index(tier) / (SLICES - 1) for tier in ("idle", "high", "surge")}
    assert places == pytest.approx({"idle": 0.0, "high": 1 / 3, "surge": 2 / 3}, abs=0.01)


def test_a_pause_of_the_recorder_is_a_gap() -> None:
    """Two stretches with nothing between them."""
    found = slices([Stretch(0, 10, ["low"] * 300), Stretch(90, 100, ["low"] * 300)], 0, 100)
    assert found[0] == found[-1] == "low"
    assert set(found[SLICES // 5 : 4 * SLICES // 5]) == {None}


def test_of_ten_thousand_stretches_none_is_lost() -> None:
    """One snapshot of surge among a million."""
    stretches = [Stretch(n, n + 1, ["idle"] * 100) for n in range(10_000)]
    stretches[5000] = Stretch(5000, 5001, ["idle"] * 99 + ["surge"])
    found = slices(stretches, 0, 10_000)
    assert found.count("surge") == 1
    assert cells(found, 40).index("surge") in (19, 20)


@pytest.mark.parametrize("width", [1, 7, 512, 700])
def test_cells_are_as_many_as_asked_for(width: int) -> None:
    assert cells(("idle",) * SLICES, width) == ["idle"] * width


def test_one_snapshot_is_a_recording_too() -> None:
    found = Timeline(5.0, 5.0, 5.0, slices([Stretch(5.0, 5.0, ["high"])], 5.0, 5.0))
    assert (found.fraction, found.moment(0.5), worst(found.tiers)) == (0.0, 5.0, "high")


def test_a_moment_and_its_fraction_are_each_others_inverse() -> None:
    assert Timeline(100.0, 200.0, 175.0, ()).fraction == 0.75
    assert Timeline(100.0, 200.0, 0.0, ()).moment(0.75) == 175.0
