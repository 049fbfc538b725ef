"""Before the first answer: every public value is unknown, false or empty, never a figure."""

from typing import Any

import pytest

from tokentop.domain import readings, snapshot, snapshot_engines, snapshot_stack
from tokentop.domain.engines import readings as engine_readings
from tokentop.domain.verdict import values

# The fields that have a value before anything has answered: configured, or a word for "unknown".
EXPECTED: dict[str, dict[str, object]] = {
    "Capacity": {"threshold": 0.95},
    "Clock": {"interval_s": 4.0, "starting_grace_s": 600.0},
    "Alert": {"severity": "warning"},
    "Demand": {"message": "No data yet", "headline": "No data yet", "source": "local",
               "profile": "vram"},
    "Engine": {"state": "offline", "source": "direct"},
    "EngineReading": {"health": "online"},
    "Gpu": {"state": "ok", "source": "nvml"},
    "DeviceReading": {"state": "ok"},
    "Health": {"state": "unknown"},
    "Mint": {"source": "default"},
    "NextInstance": {"source": "default"},
    "Pool": {"health": "unknown"},
    "Pricing": {"source": "local", "floor": 1.0, "ceiling": 6.0, "steepness": 8.0,
                "midpoint": 0.55, "everything_free": True},
    "Service": {"state": "offline"},
    "Snapshot": {"interval_s": 4.0},
}  # fmt: skip
CLASSES = [
    each
    for module in (snapshot, snapshot_engines, snapshot_stack, readings, engine_readings, values)
    for each in vars(module).values()
    if hasattr(each, "_field_defaults") and each.__module__ == module.__name__
]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_default_is_no_figure(cls: Any) -> None:
    expected = EXPECTED.get(cls.__name__, {})
    given = {
        name: value
        for name, value in cls._field_defaults.items()
        if value and not isinstance(value, tuple)
    }
    assert given == expected
