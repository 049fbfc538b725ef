"""Strategies for any JSON a service might send, near to the real shapes and far from them."""

import json
import re

from hypothesis import strategies as st

WORDS = [
    "queued",
    "pending_tasks",
    "queue_depth",
    "processing",
    "running_tasks",
    "max_slots",
    "max",
    "active",
    "models",
    "models_loaded",
    "name",
    "vram_used_mb",
    "vram_available_mb",
    "vram_total_mb",
    "total_vram_mb",
    "allocated_mb",
    "free_mb",
    "slot_states",
    "acquired",
    "agents",
    "roster",
    "status",
    "devices",
    "instances",
    "offers",
    "index",
    "uuid",
    "utilization",
    "temperature_c",
    "power_w",
    "node",
    "session_id",
    "phase",
    "price_per_hour",
    "vram_gb",
    "acceleration",
    "healthy",
    "active_streams",
    "max_streams",
    "completed_total",
    "supply",
    "circulation",
    "balance",
    "base_cost",
    "tokens_per_usd",
    "gpu_tokens_per_hour",
    "pressure",
    "multiplier",
    "back_pressure",
    "limits",
    "avg_wait_ms",
]

HUGE = "@huge@"  # stands for an integer that json.dumps would refuse to write

texts = st.text(max_size=8) | st.sampled_from(
    [
        "12",
        "3.5",
        "-1",
        "nan",
        "inf",
        "1e999",
        "٣",
        "1_0",
        "true",
        "GPU-1",
        "\x1b[31mred",
        "\u202ex",
    ]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 200)
    | st.integers()
    | st.floats()  # NaN and infinity included: Python's json writes and reads them
    | st.sampled_from([HUGE, 10**400, 1e308, -0.0])
    | texts
)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS) | texts, inner, max_size=8)
    ),
    max_leaves=25,
)


def encode(document: object) -> bytes:
    """JSON bytes, with a few integers of 5000 digits."""
    return re.sub(f'"{HUGE}"(?!:)', "9" * 5000, json.dumps(document)).encode()


def leaves(value: object) -> list[object]:
    """Every plain value inside nested tuples and named tuples."""
    if isinstance(value, tuple):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]
