"""What the simulated services answer: bytes and a status for each of the fifteen endpoints."""

import json
from collections.abc import Callable
from math import sin, tau

from tokentop.demo.noise import drift
from tokentop.demo.stack import ERRORS_FROM, FAILING, HOST, State
from tokentop.named_tuple import NamedTuple
from tokentop.sources.aither.endpoints import ENDPOINTS

_MIB = 2**20


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    body: bytes
    content_type: str = "application/json"


def answer(path: str, state: State) -> Answer | None:
    """What a GET of `path` gives; None where nobody listens.

    A prefix before the endpoint's own path is ignored, so any base URL will do.
    """
    path = path.partition("?")[0]
    rows = [row for row in ENDPOINTS if path.endswith(row.path)]
    if not rows:
        return Answer(404, b'{"error": "no such endpoint"}')
    row = max(rows, key=lambda row: len(row.path))
    if row.service == FAILING and state.fails:
        refuses = state.into < ERRORS_FROM
        return None if refuses else Answer(503, b'{"error": "starting"}')
    return Answer(200, json.dumps(_BODIES[row.name](state)).encode())


def _vram_mb(state: State) -> tuple[int, int]:
    """Used and total MiB over all devices."""
    used = sum(device.vram_used_bytes or 0 for device in state.devices)
    total = sum(device.vram_total_bytes or 0 for device in state.devices)
    return used // _MIB, total // _MIB


def _llm_queue(state: State) -> object:
    used, total = _vram_mb(state)
    return {
        "queued": state.queued,
        "processing": state.active,
        "failed_total": 3 + int(state.t // 45),
        "models_loaded": [{"name": name} for name in state.models],
        "vram_used_mb": used,
        "vram_available_mb": total - used,
        "max_slots": state.max_slots,
        "back_pressure": state.back_pressure,
    }


_ROSTER = (
    "atlas", "bach", "curie", "darwin", "euler", "fermi", "gauss", "hopper", "ising", "joule",
    "kepler", "lovelace",
)  # fmt: skip


def _agents(state: State) -> object:
    working = round(len(_ROSTER) * state.pressure)
    status = ["active"] * working + ["idle"] * (len(_ROSTER) - working)
    named = zip(_ROSTER, status, strict=True)
    return {"agents": [{"name": name, "status": status} for name, status in named]}


def _llm_slots(state: State) -> object:
    return {
        "active": state.active,
        "queued": state.queued,
        "max": state.max_slots,
        "models": list(state.models),
    }


def _queue_stats(state: State) -> object:
    return {
        "queue_depth": state.queued,
        "processing_count": state.active,
        "vram_used_mb": _vram_mb(state)[0],
        "models_loaded": list(state.models),
        "avg_wait_ms": round(12 + 90.0 * state.queued, 1),
        "avg_exec_ms": round(800 + 1900 * state.pressure, 1),
    }


def _capacity(state: State) -> object:
    return {
        "max_slots": state.max_slots,
        "active_slots": state.active,
        "utilization": round(state.active / state.max_slots, 4),
        "back_pressure": state.back_pressure,
    }


def _vram_status(state: State) -> object:
    used, total = _vram_mb(state)
    return {
        "total_vram_mb": total,
        "allocated_mb": used,
        "free_mb": total - used,
        "slot_states": {name: {"active": True} for name in state.models},
        "active_agents": round(len(_ROSTER) * state.pressure),
        "warm_manifest": list(state.models),
    }


def _devices(state: State) -> list[dict[str, object]]:
    return [
        {
            "index": device.index,
            "uuid": device.uuid,
            "name": device.name,
            "vram_total_mb": (device.vram_total_bytes or 0) // _MIB,
            "vram_used_mb": (device.vram_used_bytes or 0) // _MIB,
            "utilization": round(100 * (device.utilization or 0.0)),
            "temperature_c": device.temperature_c,
            "power_w": device.power_w,
            "node": HOST,
        }
        for device in state.devices
    ]


def _cloud_instances(state: State) -> object:
    return {
        "instances": [
            {
                "session_id": instance.id,
                "served_name": instance.model,
                "phase": instance.phase,
                "gpu_model": instance.gpu,
                "region": instance.region,
                "price_per_hour": instance.price_per_hour,
            }
            for instance in state.instances
        ]
    }


_OFFERS = (  # (GPU, GB, provider, region, USD per hour)
    ("RTX 4090", 24, "vast", "US-East", 0.42),
    ("RTX 4090", 24, "runpod", "EU-West", 0.47),
    ("A100 80GB", 80, "runpod", "US-West", 1.19),
    ("H100 80GB", 80, "lambda", "EU-North", 2.49),
    ("H200", 141, "nebius", "EU-North", 3.59),
)


def _cloud_offers(state: State) -> object:
    return {
        "offers": [
            {
                "offer_id": f"offer-{place + 1}",
                "gpu_model": gpu,
                "vram_gb": gigabytes,
                "price_per_hour": round(usd * (1 + 0.02 * drift(state.seed, 80 + place, 0.0)), 2),
                "provider": provider,
                "region": region,
            }
            for place, (gpu, gigabytes, provider, region, usd) in enumerate(_OFFERS)
        ]
    }


def _status(state: State) -> object:
    return {"acceleration": "cuda", "devices": len(state.devices), "healthy": True}


def _streams_stats(state: State) -> object:
    return {
        "active_streams": round(64 * state.pressure),
        "max_streams": 64,
        "completed_total": 12_480 + int(3.1 * state.t),
    }


def _mint_pool(state: State) -> object:
    moved = round(60_000 * sin(tau * state.t / 600) + 900 * drift(state.seed, 90, state.t))
    return {
        "supply": 10_000_000,
        "circulation": 3_214_000 + moved,
        "balance": 6_786_000 - moved,
    }


def _mint_rates(_: State) -> object:
    return {"base_cost": 10, "tokens_per_usd": 5000, "gpu_tokens_per_hour": 4000}


def _compute_pressure(state: State) -> object:
    return {
        "pressure": round(state.pressure, 4),
        "back_pressure": state.back_pressure,
        "limits": {"vram": 0.95, "slots": 1.0},
    }


_BODIES: dict[str, Callable[[State], object]] = {
    "llm_queue": _llm_queue,
    "agents": _agents,
    "llm_slots": _llm_slots,
    "queue_stats": _queue_stats,
    "capacity": _capacity,
    "vram_status": _vram_status,
    "gpu_devices": lambda state: {"devices": _devices(state)},
    "cloud_instances": _cloud_instances,
    "cloud_offers": _cloud_offers,
    "gpu_metrics": _devices,
    "status": _status,
    "streams_stats": _streams_stats,
    "mint_pool": _mint_pool,
    "mint_rates": _mint_rates,
    "compute_pressure": _compute_pressure,
}
