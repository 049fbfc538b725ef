"""RunPod: GPU types of the secure cloud that are in stock for one pod; the user's pods.

https://docs.runpod.io/api-reference-v2 has both.
"""

from tokentop.domain.readings import InstanceReading, InstancesReading, Offer, OffersReading
from tokentop.sources.json_fields import Fields, load, objects
from tokentop.sources.offers.rows import counted, read_instances, read_offers

NAME = "RunPod"
OFFERS_PATH = "/v2/catalog/gpus?include=AVAILABILITY&product=POD&cloud=SECURE&count=1"
INSTANCES_PATH = "/v2/pods"
_NONE = "NONE"  # out of stock


def parse_offers(body: bytes) -> OffersReading:
    """The types in stock; `price` is for one GPU an hour."""
    return read_offers(load(body), "gpus", NAME, _offer)


def _offer(f: Fields) -> Offer | None:
    if f.boolean("secure") is False or f.text("availability") in (None, _NONE):
        return None
    return Offer(
        id=f.text("id"),
        gpu=f.text("gpu", "name"),
        vram_bytes=f.size_gb("vram_bytes", "memory"),
        region=_data_center(f.raw("dataCenters")),
        usd_per_hour=f.nested("price").amount("usd_per_hour", "secure"),
    )


def _data_center(listed: object) -> str | None:
    """The first one that has some."""
    rows = [Fields(row) for row in objects(listed, name="")[0]] if isinstance(listed, list) else []
    return next((row.text("id") for row in rows if row.text("availability") != _NONE), None)


def parse_instances(body: bytes) -> InstancesReading:
    """The user's pods that have a GPU; members of a cluster are not among them."""
    return read_instances(load(body), "pods", NAME, _pod)


def _pod(f: Fields) -> InstanceReading | None:
    if f.raw("gpu") is None:
        return None
    gpu = f.nested("gpu")
    return InstanceReading(
        id=f.text("id"),
        gpu=counted(gpu.text("id"), gpu.count("count")),
        region=f.text("region", "dataCenterId"),
        status=(f.text("status") or "").lower() or None,
        usd_per_hour=f.amount("usd_per_hour", "cost"),
    )
