"""A loopback server that answers all fifteen endpoints: one address stands for seven services."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GPU = {
    "index": 0,
    "uuid": "GPU-1",
    "name": "RTX 4090",
    "vram_total_mb": 24576,
    "vram_used_mb": 18636.8,
    "utilization": 42,
    "temperature_c": 60,
    "power_w": 300,
}

QUEUE = {"queued": 3, "processing": 5, "models_loaded": ["qwen3.6-27b"], "max_slots": 48}

ANSWERS: dict[str, object] = {
    "/llm/queue": QUEUE,
    "/agents": [{"status": "active"}, {"status": "idle"}],
    "/llm/slots": {"active": 5, "queued": 3, "max": 48},
    "/queue/stats": {"queue_depth": 3, "processing_count": 5},
    "/capacity": {"max_slots": 48, "active_slots": 5, "utilization": 0.1, "back_pressure": False},
    "/vram/status": {"total_vram_mb": 24576, "allocated_mb": 18636, "free_mb": 5940},
    "/gpu/devices": {"devices": [GPU]},
    "/cloud/instances": [{"session_id": "c", "phase": "running", "price_per_hour": 0.42}],
    "/cloud/offers": {"offers": []},
    "/gpu/metrics": [GPU],
    "/status": {"acceleration": "cuda", "devices": 1, "healthy": True},
    "/streams/stats": {"active_streams": 1, "max_streams": 4, "completed_total": 9},
    "/mint/pool": {"supply": 1000, "circulation": 900, "balance": 100},
    "/mint/rates": {"base_cost": 12, "tokens_per_usd": 5000, "gpu_tokens_per_hour": 4000},
    "/compute_pressure": {"pressure": 0.42, "multiplier": 2.13},
}


@contextmanager
def serving(**changed: object) -> Iterator[str]:
    """Serve ANSWERS; a keyword such as `llm_queue=...` replaces one, None hangs, bytes go raw.

    Yields the base URL.
    """
    answers = ANSWERS | {_path(name): value for name, value in changed.items()}
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            answer = answers.get(self.path, 404)
            if answer is None:
                released.wait()
            status = answer if isinstance(answer, int) else 200
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64  # the command connects fifteen times at once

        def handle_error(self, *_: object) -> None:
            """The command may leave before a hanging answer is released."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _path(name: str) -> str:
    found = [path for path in ANSWERS if path.strip("/").replace("/", "_") == name]
    assert len(found) == 1, name
    return found[0]
