"""Latencies on the screen: no jitter, and a lasting change is shown with the second answer."""

from collections.abc import Sequence

import pytest

from tests.examples import first_paint
from tokentop.domain.snapshot import Service
from tokentop.runtime.live.smoothing import LatencySmoother


def shown(latencies: Sequence[float | None]) -> list[float | None]:
    """What the screen shows of a service that answers with these latencies, ms."""
    steady = LatencySmoother()
    rows = [(Service("a", "aither", latency_ms=x), Service("b", "aither")) for x in latencies]
    seen = [steady.smoothed(first_paint()._replace(services=both)).services for both in rows]
    assert all(other.latency_ms is None for _, other in seen)
    return [one.latency_ms for one, _ in seen]


@pytest.mark.parametrize(
    "latencies", [[10, 12, 9, 11, 13, 8], [1, 3, 2, 1.5], [10, 10, 400, 10, 10]]
)
def test_noise_does_not_move_the_figure(latencies: list[float]) -> None:
    """Neither jitter nor one slow answer is shown."""
    assert set(shown(latencies)) == {latencies[0]}


def test_a_change_that_lasts_is_shown_with_the_second_answer() -> None:
    """A service that has become slow is shown slow, and one that has recovered is shown fast."""
    assert shown([10, 10, 400, 420, 410, 10, 11]) == [10, 10, 10, 400, 400, 400, 11]


def test_an_answer_folded_again_counts_once() -> None:
    """Other sources' answers fold the same latency again; that makes it no more usual."""
    assert shown([10, 400, 400, 400])[-1] != 400


def test_a_service_that_comes_back_starts_anew() -> None:
    """Nothing of the time before an outage is shown, nor a latency during it."""
    assert shown([10, None, 100]) == [10, None, 100]
