"""Pauses between tries grow to a bound, and differ between viewers."""

from tokentop.collect.backoff import Backoff


def test_pauses_double_to_half_a_minute_and_start_again_after_a_success() -> None:
    backoff = Backoff(lambda: 0.0)
    assert [backoff.pause_s() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    backoff.reset()
    assert backoff.pause_s() == 1


def test_up_to_a_half_is_taken_off_by_chance() -> None:
    """A hundred viewers of a collector that restarts do not all come at once."""
    numbers = iter([0.0, 0.5, 1.0])
    backoff = Backoff(lambda: next(numbers))
    assert [backoff.pause_s() for _ in range(3)] == [1, 1.5, 2]
