"""Sums of which some parts are unknown."""

from tokentop.domain.numbers import total


def test_unknown_parts_are_left_out_and_nothing_known_is_unknown() -> None:
    """An unknown number is not 0: a sum of none is unknown, and one of zeros is 0."""
    assert total([3, None, 4]) == 7
    assert total([0, None]) == 0
    assert total([None, None]) is None
    assert total([]) is None
    assert total([0.5, 0.25]) == 0.75
