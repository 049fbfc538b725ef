"""The fifteen endpoints: what their answers mean, and that nothing in them can do harm."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.anyjson import documents, encode, leaves
from tokentop.domain.readings import (
    AccelReading,
    AgentsReading,
    DeviceReading,
    GpusReading,
    InstanceReading,
    InstancesReading,
    Offer,
    OffersReading,
    PoolReading,
    PressureReading,
    QueueReading,
    RatesReading,
    StreamsReading,
    VramReading,
)
from tokentop.domain.snapshot import AITHER_SERVICES
from tokentop.domain.text import clean
from tokentop.sources.aither.endpoints import ENDPOINTS, SERVICES, BadData, default_url

MIB = 1024 * 1024
BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}


def parse(name: str, document: object) -> Any:
    return BY_NAME[name].parse(json.dumps(document).encode())


def test_the_table_has_fifteen_rows_over_the_seven_services() -> None:
    """The public snapshot promises exactly these seven names."""
    assert len(ENDPOINTS) == len({row.key for row in ENDPOINTS}) == 15
    assert tuple(SERVICES) == AITHER_SERVICES
    assert {row.service for row in ENDPOINTS} == set(AITHER_SERVICES)


def test_only_genesis_stays_plain_where_a_ca_is_found() -> None:
    """Genesis answers plain HTTP; the others are HTTPS-first with a private CA."""
    assert default_url("genesis", ca_found=True) == "http://127.0.0.1:8001"
    assert default_url("mint", ca_found=True) == "https://127.0.0.1:8136"
    assert default_url("acta", ca_found=False) == "http://127.0.0.1:8206"
    assert SERVICES["mint"].env == "AITHER_STRATA_URL"


DEVICE = {
    "index": 0,
    "uuid": "GPU-1",
    "name": "H200",
    "vram_total_mb": 1000,
    "vram_used_mb": "250.5",
    "utilization": 42,
    "temperature_c": 61,
    "power_w": 512.4,
    "node": "box",
}
DEVICE_READ = DeviceReading(
    index=0,
    uuid="GPU-1",
    name="H200",
    node="box",
    vram_used_bytes=int(250.5 * MIB),
    vram_total_bytes=1000 * MIB,
    utilization=0.42,
    temperature_c=61.0,
    power_w=512.4,
)
INSTANCE = {
    "session_id": 7,
    "served_name": "qwen",
    "phase": "running",
    "gpu_model": "RTX 4090",
    "region": "US-East",
    "price_per_hour": "0.44",
}
OFFER = {"offer_id": "o", "gpu_model": "L4", "vram_gb": 24, "price_per_hour": 0.4, "provider": "v"}


@pytest.mark.parametrize(
    ("name", "document", "reading"),
    [
        (
            "llm_queue",
            {
                "queued": 3,
                "processing": "2",
                "failed_total": 9,
                "models_loaded": [{"name": "b"}, "a"],
                "vram_used_mb": 100,
                "vram_available_mb": 300,
                "max_slots": 8,
                "back_pressure": False,
                "unheard_of": {"deep": [1]},
            },
            QueueReading(3, 2, 8, ("b", "a"), False, 100 * MIB, 400 * MIB),
        ),
        ("llm_queue", {"pending_tasks": 1, "running_tasks": 2}, QueueReading(1, 2)),
        ("llm_queue", {"queue_depth": 1, "processing_count": 2}, QueueReading(1, 2)),
        ("llm_queue", {"queued": -1}, QueueReading(bad=("queued",))),
        ("llm_queue", {"vram_used_mb": 5}, QueueReading(vram_used_bytes=5 * MIB)),
        ("agents", [{"status": "busy"}, {"status": "idle"}, "x"], AgentsReading(3, 1)),
        ("agents", {"agents": [{"status": "offline"}, {}]}, AgentsReading(1, 0)),
        ("agents", {"roster": [{"name": "a"}]}, AgentsReading(1, None)),
        ("agents", {"roster": {"a": {"status": "active"}}}, AgentsReading(1, 1)),
        ("agents", {"online": 4, "active": 1}, AgentsReading(4, 1)),
        (
            "llm_slots",
            {"active": 1, "queued": 0, "max": 4, "models": []},
            QueueReading(0, 1, 4, ()),
        ),
        (
            "queue_stats",
            {"queue_depth": 5, "processing_count": 3, "avg_wait_ms": 12.5, "avg_exec_ms": "80"},
            QueueReading(5, 3),
        ),
        (
            "capacity",
            {"max_slots": 8, "active_slots": 8, "utilization": 1, "back_pressure": True},
            QueueReading(None, 8, 8, back_pressure=True),
        ),
        (
            "vram_status",
            {
                "total_vram_mb": 100,
                "allocated_mb": 120,
                "free_mb": 0,
                "slot_states": {"a": {"active": True}, "b": {"acquired": False}, "c": "what"},
                "active_agents": ["x", "y"],
            },
            VramReading(100 * MIB, 100 * MIB, active_agents=2, bad=("allocated_bytes",)),
        ),
        ("gpu_devices", [DEVICE], GpusReading((DEVICE_READ,))),
        ("gpu_devices", [DEVICE, 3], GpusReading((DEVICE_READ,), bad=("devices",))),
        ("gpu_metrics", {"devices": []}, GpusReading()),
        (
            "cloud_instances",
            {"instances": [INSTANCE]},
            InstancesReading(
                (InstanceReading("7", "RTX 4090", "US-East", "running", "qwen", 0.44),)
            ),
        ),
        (
            "cloud_instances",
            [{"id": "a", "status": "up", "model": "m", "price_per_hour": -1}],
            InstancesReading(
                (InstanceReading("a", None, None, "up", "m", None, bad=("usd_per_hour",)),)
            ),
        ),
        (
            "cloud_offers",
            {"offers": [OFFER]},
            OffersReading((Offer("o", "L4", 24 * 1024 * MIB, None, "v", 0.4),)),
        ),
        (
            "status",
            {"acceleration": "cuda", "devices": [1, 2], "healthy": "true"},
            AccelReading(),
        ),
        (
            "streams_stats",
            {"active_streams": 1, "max_streams": 4, "completed_total": 9},
            StreamsReading(1, 4, 9),
        ),
        (
            "mint_pool",
            {"supply": 1e6, "circulation": 5, "balance": -3},
            PoolReading(1e6, 5.0, -3.0),
        ),
        (
            "mint_rates",
            {"base_cost": 12, "tokens_per_usd": "5000", "gpu_tokens_per_hour": True},
            RatesReading(12.0, 5000.0, bad=("gpu_tokens_per_hour",)),
        ),
        (
            "compute_pressure",
            {"pressure": 0.8, "multiplier": 5.4, "limits": {"a": 0.9, "x": "y"}},
            PressureReading(0.8, 5.4),
        ),
        ("compute_pressure", {}, PressureReading()),
    ],
)
def test_an_answer_means(name: str, document: object, reading: object) -> None:
    """Published names, their aliases, wrappings and the refusal of single fields, row by row."""
    assert parse(name, document) == reading


@pytest.mark.parametrize(
    ("utilizations", "ratios", "bad"),
    [
        ([42, 0], [0.42, 0.0], [(), ()]),
        ([1, 0], [0.01, 0.0], [(), ()]),  # one per cent, not a full GPU
        ([0.93, 1], [0.93, 1.0], [(), ()]),
        ([0.5, 37.5], [0.005, 0.375], [(), ()]),
        ([250, 3], [1.0, 0.03], [("utilization",), ()]),
        ([-3, 3], [None, 0.03], [("utilization",), ()]),
        (["NaN", 3], [None, 0.03], [("utilization",), ()]),
    ],
)
def test_utilization_is_per_cent_unless_the_answer_shows_ratios(
    utilizations: list[object], ratios: list[float | None], bad: list[tuple[str, ...]]
) -> None:
    """The unit is decided once per answer, so a GPU at 100 % beside one at 93 % stays at 100 %."""
    devices = parse("gpu_metrics", [{"utilization": value} for value in utilizations]).devices
    assert [device.utilization for device in devices] == ratios
    assert [device.bad for device in devices] == bad


def test_used_beyond_total_is_clamped_and_marked() -> None:
    """The bar stays within its width, and the service still shows bad data."""
    (device,) = parse("gpu_devices", [{**DEVICE, "vram_used_mb": 1001}]).devices
    assert device.vram_used_bytes == device.vram_total_bytes == 1000 * MIB
    assert device.bad == ("vram_used_bytes",)


def test_a_gpu_without_framebuffer_has_unknown_vram() -> None:
    """Unified-memory devices report a total of 0, which is neither full nor empty."""
    (device,) = parse("gpu_devices", [{**DEVICE, "vram_total_mb": 0, "vram_used_mb": None}]).devices
    assert (device.vram_total_bytes, device.vram_used_bytes, device.bad) == (None, None, ())


def test_lists_are_bounded() -> None:
    """Two mebibytes of tiny devices must not become a hundred thousand rows."""
    assert len(parse("gpu_devices", [{}] * 5000).devices) == 512
    assert len(parse("llm_queue", {"models_loaded": [f"m{i}" for i in range(5000)]}).models) == 256


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("body", [b"", b"<html>", b"3", b"null", b'"text"', b"[[[", b"\xff"])
def test_every_row_refuses_what_is_no_answer_of_its_kind(name: str, body: bytes) -> None:
    """A wrong top level is BadData with a sentence, never another exception."""
    with pytest.raises(BadData, match=r"^the answer .*\w$"):
        BY_NAME[name].parse(body)


@given(st.sampled_from(ENDPOINTS), documents)
def test_any_json_is_read_or_refused_and_never_does_harm(endpoint: Any, document: object) -> None:
    """No exception but BadData; no NaN, infinity or negative size out; every text is safe."""
    try:
        reading = endpoint.parse(encode(document))
    except BadData:
        return
    for leaf in leaves(reading):
        if isinstance(leaf, float):
            assert math.isfinite(leaf)
        if isinstance(leaf, int):
            assert leaf >= 0
        if isinstance(leaf, str):
            assert leaf == clean(leaf)
            assert len(leaf) <= 256


@given(st.sampled_from(ENDPOINTS), st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(endpoint: Any, body: bytes) -> None:
    """What is no JSON at all is BadData too."""
    try:
        endpoint.parse(body)
    except BadData:
        return
