"""Canned answers of the seven services, one value a row of the fifteen; they agree with each other.

Two RTX 4090 of 24,564 MiB: 30,000 of 49,128 MiB used (61 %, so tier high); 3 active, 2 queued of 8
slots; one cloud instance running; ACTA agrees at 0.61.
"""

DEVICES = [
    {
        "index": index,
        "uuid": f"GPU-00000000-0000-0000-0000-00000000000{index}",
        "name": "NVIDIA GeForce RTX 4090",
        "vram_total_mb": 24564,
        "vram_used_mb": used,
        "utilization": busy,
        "temperature_c": 61 + index,
        "power_w": 287.5,
        "node": "rack-a",
    }
    for index, used, busy in ((0, 20000, 84), (1, 10000, 42))
]

ANSWERS: dict[str, dict[str, object]] = {
    "genesis": {
        "/llm/queue": {
            "queued": 2,
            "processing": 3,
            "failed_total": 1,
            "models_loaded": ["qwen3-8b", {"name": "nomic-embed"}],
            "vram_used_mb": 30000,
            "vram_available_mb": 19128,
            "max_slots": 8,
            "back_pressure": False,
        },
        "/agents": {
            "agents": [
                {"name": "scribe", "status": "active"},
                {"name": "scout", "status": "idle"},
                {"name": "smith", "status": "idle"},
            ]
        },
        "/llm/slots": {"active": 3, "queued": 2, "max": 8, "models": ["qwen3-8b"]},
    },
    "microscheduler": {
        "/queue/stats": {
            "queue_depth": 2,
            "processing_count": 3,
            "vram_used_mb": 30000,
            "models_loaded": ["qwen3-8b", "nomic-embed"],
            "avg_wait_ms": 120.5,
            "avg_exec_ms": 850,
        },
        "/capacity": {
            "max_slots": 8,
            "active_slots": 3,
            "utilization": 0.375,
            "back_pressure": False,
        },
        "/vram/status": {
            "total_vram_mb": 49128,
            "allocated_mb": 30000,
            "free_mb": 19128,
            "slot_states": {"slot-0": {"active": True}, "slot-1": {"acquired": False}},
            "active_agents": 1,
            "warm_manifest": [],
        },
    },
    "compute": {
        "/gpu/devices": {"devices": DEVICES},
        "/cloud/instances": {
            "instances": [
                {
                    "session_id": "i-1",
                    "served_name": "qwen3-32b",
                    "phase": "running",
                    "gpu_model": "A100 80GB",
                    "region": "eu-west",
                    "price_per_hour": 1.19,
                }
            ]
        },
        "/cloud/offers": {
            "offers": [
                {
                    "offer_id": "o-1",
                    "gpu_model": "L4",
                    "vram_gb": 24,
                    "price_per_hour": 0.44,
                    "provider": "example",
                    "region": "eu-west",
                },
                {
                    "offer_id": "o-2",
                    "gpu_model": "A10G",
                    "vram_gb": 24,
                    "price_per_hour": 0.75,
                    "provider": "example",
                    "region": "us-east",
                },
            ]
        },
    },
    "accel": {
        "/gpu/metrics": DEVICES,
        "/status": {"acceleration": "cuda", "devices": 2, "healthy": True},
    },
    "parallel": {
        "/streams/stats": {"active_streams": 4, "max_streams": 16, "completed_total": 1234}
    },
    "mint": {
        "/mint/pool": {"supply": 1_000_000, "circulation": 250_000, "balance": 750_000},
        "/mint/rates": {"base_cost": 12, "tokens_per_usd": 5000, "gpu_tokens_per_hour": 4000},
    },
    "acta": {
        "/compute_pressure": {
            "pressure": 0.61,
            "back_pressure": False,
            "limits": {"vram": 0.61, "queue": 0.25},
        }
    },
}
