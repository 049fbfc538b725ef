"""The fifteen endpoints' names for each figure: every spelling read, every refusal named."""

import json
from typing import Any

import pytest

from tokentop.sources.aither.endpoints import ENDPOINTS
from tokentop.sources.json_fields import MIB, as_boolean

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
NUMBERS: dict[str, dict[str, tuple[str, ...]]] = {  # endpoint -> our field -> its spellings
    "llm_queue": {
        "queued": ("queued", "pending_tasks", "queue_depth", "pending"),
        "active": ("processing", "running_tasks", "processing_count", "active_slots", "active"),
        "max_slots": ("max_slots", "max"),
    },
    "agents": {"online": ("online", "total", "count")},
    "vram_status": {"active_agents": ("active_agents",)},
    "streams_stats": {
        "active_streams": ("active_streams",),
        "max_streams": ("max_streams",),
        "completed_total": ("completed_total", "completed"),
    },
    "mint_pool": {
        "supply": ("supply", "total_supply"),
        "circulation": ("circulation", "circulating"),
        "balance": ("balance", "pool_balance"),
    },
    "mint_rates": {
        "base_cost_tokens": ("base_cost", "base_cost_tokens"),
        "tokens_per_usd": ("tokens_per_usd",),
        "gpu_tokens_per_hour": ("gpu_tokens_per_hour",),
    },
    "compute_pressure": {"multiplier": ("multiplier",)},
}
RATIOS = {"compute_pressure": {"pressure": ("pressure", "compute_pressure")}}
SIZES = {
    "llm_queue": {
        "vram_used_bytes": ("vram_used_mb",),
        "vram_total_bytes": ("vram_total_mb",),
    },
    "vram_status": {
        "total_bytes": ("total_vram_mb", "total_mb"),
        "allocated_bytes": ("allocated_mb",),
    },
}
DEVICE_NUMBERS = {
    "index": ("index", "gpu_index"),
    "temperature_c": ("temperature_c", "temperature"),
    "power_w": ("power_w", "power_watts"),
    "power_limit_w": ("power_limit_w",),
}
DEVICE_SIZES = {
    "vram_used_bytes": ("vram_used_mb", "memory_used_mb"),
    "vram_total_bytes": ("vram_total_mb", "memory_total_mb"),
}
DEVICE_TEXTS = {
    "uuid": ("uuid",),
    "name": ("name", "gpu_model"),
    "node": ("node", "host", "hostname"),
    "mig": ("parent_uuid", "mig_parent"),
}
UTILIZATION = ("utilization", "utilization_percent", "gpu_utilization", "utilization_gpu")
INSTANCE_TEXTS = {
    "id": ("session_id", "instance_id", "id"),
    "gpu": ("gpu_model", "gpu"),
    "region": ("region",),
    "status": ("phase", "status"),
    "model": ("served_name", "model"),
}
OFFER_TEXTS = {
    "id": ("offer_id", "id"),
    "gpu": ("gpu_model", "gpu"),
    "region": ("region",),
    "provider": ("provider",),
}
PRICE = {"usd_per_hour": ("price_per_hour", "usd_per_hour")}


def parse(name: str, document: object) -> Any:
    return BY_NAME[name].parse(json.dumps(document).encode())


def spelled(table: dict[str, dict[str, tuple[str, ...]]]) -> list[tuple[str, str, str]]:
    return [
        (endpoint, field, spelling)
        for endpoint, fields in table.items()
        for field, spellings in fields.items()
        for spelling in spellings
    ]


@pytest.mark.parametrize(("endpoint", "field", "spelling"), spelled(NUMBERS))
def test_a_number_by_any_of_its_names(endpoint: str, field: str, spelling: str) -> None:
    assert getattr(parse(endpoint, {spelling: 7}), field) == 7
    assert parse(endpoint, {spelling: "much"}).bad == (field,)


@pytest.mark.parametrize(("endpoint", "field", "spelling"), spelled(RATIOS))
def test_a_ratio_by_any_of_its_names(endpoint: str, field: str, spelling: str) -> None:
    assert getattr(parse(endpoint, {spelling: 0.7}), field) == 0.7
    assert parse(endpoint, {spelling: "much"}).bad == (field,)


@pytest.mark.parametrize(("endpoint", "field", "spelling"), spelled(SIZES))
def test_a_size_in_mebibytes_by_any_of_its_names(endpoint: str, field: str, spelling: str) -> None:
    assert getattr(parse(endpoint, {spelling: 3}), field) == 3 * MIB
    assert parse(endpoint, {spelling: "much"}).bad == (field,)


@pytest.mark.parametrize("endpoint", ["llm_queue", "capacity", "compute_pressure"])
@pytest.mark.parametrize("spelling", ["back_pressure", "backpressure"])
def test_back_pressure_by_either_name(endpoint: str, spelling: str) -> None:
    assert parse(endpoint, {spelling: True}).back_pressure is True
    assert parse(endpoint, {spelling: "perhaps"}).bad == ("back_pressure",)


@pytest.mark.parametrize("spelling", ["models_loaded", "models"])
def test_models_by_either_name(spelling: str) -> None:
    assert parse("llm_queue", {spelling: ["a", {"id": "b"}, {"model": "c"}]}).models == (
        "a", "b", "c",
    )  # fmt: skip
    assert parse("llm_queue", {spelling: 3}).bad == ("models",)


@pytest.mark.parametrize("wrapper", ["devices", "gpus", "metrics"])
@pytest.mark.parametrize(
    ("table", "value", "read"),
    [(DEVICE_NUMBERS, 7, 7), (DEVICE_SIZES, 3, 3 * MIB), (DEVICE_TEXTS, "x", "x")],
)
def test_a_device_by_any_of_its_names(
    wrapper: str, table: dict[str, tuple[str, ...]], value: object, read: object
) -> None:
    for field, spellings in table.items():
        for spelling in spellings:
            (device,) = parse("gpu_devices", {wrapper: [{spelling: value}]}).devices
            assert getattr(device, field) == read, spelling
            (device,) = parse("gpu_devices", {wrapper: [{spelling: [1]}]}).devices
            assert device.bad == (field,), spelling


@pytest.mark.parametrize("spelling", UTILIZATION)
def test_utilization_by_any_of_its_names(spelling: str) -> None:
    assert parse("gpu_metrics", [{spelling: 42}]).devices[0].utilization == 0.42
    assert parse("gpu_metrics", [{spelling: "much"}]).devices[0].bad == ("utilization",)


@pytest.mark.parametrize(
    ("endpoint", "wrapper", "texts"),
    [
        ("cloud_instances", "instances", INSTANCE_TEXTS),
        ("cloud_instances", "running", INSTANCE_TEXTS),
        ("cloud_offers", "offers", OFFER_TEXTS),
    ],
)
def test_an_instance_or_offer_by_any_of_its_names(
    endpoint: str, wrapper: str, texts: dict[str, tuple[str, ...]]
) -> None:
    def only(value: dict[str, object]) -> Any:
        return parse(endpoint, {wrapper: [value]})[0][0]

    for field, spellings in texts.items():
        for spelling in spellings:
            assert getattr(only({spelling: "x"}), field) == "x", spelling
            assert only({spelling: [1]}).bad == (field,), spelling
    for spelling in PRICE["usd_per_hour"]:
        assert only({spelling: 0.5}).usd_per_hour == 0.5
        assert only({spelling: "much"}).bad == ("usd_per_hour",)


def test_lists_with_foreign_items_are_named() -> None:
    assert parse("cloud_instances", [3]).bad == ("instances",)
    assert parse("cloud_offers", [3]).bad == ("offers",)
    assert parse("gpu_devices", [3]).bad == ("devices",)
    assert parse("cloud_offers", [{"vram_gb": "much"}]).offers[0].bad == ("vram_bytes",)


@pytest.mark.parametrize(
    ("status", "online", "active"),
    [
        *((word, 1, 1) for word in
          ("active", "busy", "working", "running", "processing", "executing", "BUSY")),
        *((word, 0, 0) for word in
          ("offline", "stopped", "dead", "down", "disabled", "terminated", "failed", "inactive")),
        ("idle", 1, 0),
    ],
)  # fmt: skip
def test_an_agents_status(status: str, online: int, active: int) -> None:
    reading = parse("agents", {"agents": [{"status": status}]})
    assert (reading.online, reading.active) == (online, active)


@pytest.mark.parametrize("yes", ["true", "yes", "on", "1", " TRUE ", True, 1])
def test_yes(yes: object) -> None:
    assert as_boolean(yes) is True


@pytest.mark.parametrize("no", ["false", "no", "off", "0", "No", False, 0])
def test_no(no: object) -> None:
    assert as_boolean(no) is False


@pytest.mark.parametrize("neither", ["", "maybe", 2, 1.0, None, [], "nope"])
def test_neither(neither: object) -> None:
    assert as_boolean(neither) is None


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (None, "the answer is null, not an object"),
        (True, "the answer is true or false, not an object"),
        (3, "the answer is a number, not an object"),
        (0.5, "the answer is a number, not an object"),
        ("x", "the answer is a text, not an object"),
        ([], "the answer is a list, not an object"),
    ],
)
def test_another_document_is_named(document: object, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parse("mint_pool", document)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"  ", "the answer is empty"),
        (b"\n <html>", "the answer is HTML, not JSON"),
        (b"\xff\xfe", "the answer is not UTF-8 text"),
        (b"[" * 100_000, "the answer is nested too deeply to be read"),
        (b"{,}", "the answer is not valid JSON"),
        (b'{"x": 1}', "the answer holds no list called offers"),
        (b'{"offers": 1}', "the answer is a number, not a list"),
        (b'{"offers": {"a": 1}}', "the answer is an object, not a list"),
    ],
)
def test_another_body_is_named(body: bytes, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        BY_NAME["cloud_offers"].parse(body)
