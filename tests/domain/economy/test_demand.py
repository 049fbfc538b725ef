import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.domain.economy.demand import serving_utilization, vram_utilization

maybe = st.one_of(st.none(), st.floats(0, 3))


def test_vram_formula() -> None:
    """The larger of memory pressure and 0.9 x queue pressure, clamped to 1."""
    assert vram_utilization(0.5, 0.5) == 0.5
    assert vram_utilization(0.2, 0.5) == pytest.approx(0.45)
    assert vram_utilization(0.2, 9.0) == 1.0
    assert vram_utilization(None, 0.5) == pytest.approx(0.45)
    assert vram_utilization(0.3, None) == 0.3
    assert vram_utilization(None, None) is None


def test_serving_formula() -> None:
    """All slots busy is 0.80, a queue as long as the slots is 1.0, the KV cache may win."""
    assert serving_utilization(None, 1.0, 0.0) == pytest.approx(0.8)
    assert serving_utilization(0.3, 1.0, 1.0) == 1.0
    assert serving_utilization(None, 1.0, 5.0) == 1.0
    assert serving_utilization(0.9, 0.5, None) == 0.9
    assert serving_utilization(None, None, 0.5) == pytest.approx(0.1)
    assert serving_utilization(0.0, None, None) == 0.0
    assert serving_utilization(None, None, None) is None


@given(maybe, maybe, maybe)
def test_both_stay_between_0_and_1(
    kv: float | None, occupancy: float | None, queue: float | None
) -> None:
    """Whatever the parts, the result is unknown or a ratio."""
    for value in (serving_utilization(kv, occupancy, queue), vram_utilization(kv, queue)):
        assert value is None or 0 <= value <= 1
