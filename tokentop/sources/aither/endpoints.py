"""The seven services and their fifteen endpoints, as one table."""

from collections.abc import Callable

from tokentop.domain.readings import Reading
from tokentop.named_tuple import NamedTuple
from tokentop.sources.aither import replies
from tokentop.sources.json_fields import BadData

__all__ = ["ENDPOINTS", "SERVICES", "BadData", "Endpoint", "ServiceDefault", "default_url"]


class ServiceDefault(NamedTuple):
    """Where a service listens by default; `tls` services use HTTPS where a CA is found.

    `env` is the stack's own environment variable for the base URL.
    """

    name: str
    port: int
    env: str
    tls: bool = True


class Endpoint(NamedTuple):
    """One row: GET `path` of `service`; `parse` raises BadData and nothing else."""

    service: str
    name: str
    path: str
    parse: Callable[[bytes], Reading]

    @property
    def key(self) -> str:
        return f"{self.service}/{self.name}"


SERVICES: dict[str, ServiceDefault] = {
    row.name: row
    for row in (
        ServiceDefault("genesis", 8001, "AITHER_GENESIS_URL", tls=False),
        ServiceDefault("microscheduler", 8150, "AITHER_MICROSCHEDULER_URL"),
        ServiceDefault("compute", 8168, "AITHER_COMPUTE_URL"),
        ServiceDefault("accel", 8103, "AITHER_ACCEL_URL"),
        ServiceDefault("parallel", 8100, "AITHER_PARALLEL_URL"),
        ServiceDefault("mint", 8136, "AITHER_STRATA_URL"),
        ServiceDefault("acta", 8206, "AITHER_ACTA_URL"),
    )
}


def default_url(name: str, ca_found: bool) -> str:
    """The default base URL of one of the seven services."""
    service = SERVICES[name]
    scheme = "https" if service.tls and ca_found else "http"
    return f"{scheme}://127.0.0.1:{service.port}"


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("genesis", "llm_queue", "/llm/queue", replies.parse_queue),
    Endpoint("genesis", "agents", "/agents", replies.parse_agents),
    Endpoint("genesis", "llm_slots", "/llm/slots", replies.parse_queue),
    Endpoint("microscheduler", "queue_stats", "/queue/stats", replies.parse_queue),
    Endpoint("microscheduler", "capacity", "/capacity", replies.parse_queue),
    Endpoint("microscheduler", "vram_status", "/vram/status", replies.parse_vram),
    Endpoint("compute", "gpu_devices", "/gpu/devices", replies.parse_gpus),
    Endpoint("compute", "cloud_instances", "/cloud/instances", replies.parse_instances),
    Endpoint("compute", "cloud_offers", "/cloud/offers", replies.parse_offers),
    Endpoint("accel", "gpu_metrics", "/gpu/metrics", replies.parse_gpus),
    Endpoint("accel", "status", "/status", replies.parse_accel),
    Endpoint("parallel", "streams_stats", "/streams/stats", replies.parse_streams),
    Endpoint("mint", "mint_pool", "/mint/pool", replies.parse_pool),
    Endpoint("mint", "mint_rates", "/mint/rates", replies.parse_rates),
    Endpoint("acta", "compute_pressure", "/compute_pressure", replies.parse_pressure),
)
