"""Lambda: instance types with one GPU that some region has; the user's instances.

https://docs.lambda.ai/api/cloud has both. Of a GPU's size only its description speaks.
"""

import re

from tokentop.domain.readings import InstanceReading, InstancesReading, Offer, OffersReading
from tokentop.sources.json_fields import Fields, load
from tokentop.sources.offers.rows import read_instances, read_offers

NAME = "Lambda"
OFFERS_PATH = "/api/v1/instance-types"
INSTANCES_PATH = "/api/v1/instances"
GIB = 2**30
_SIZE = re.compile(r"\((\d{1,4}) GB")  # of "A10 (24 GB PCIe)"


def parse_offers(body: bytes) -> OffersReading:
    """The types with one GPU and capacity somewhere; the first region stands for all."""
    return read_offers(load(body), "data", NAME, _offer)


def _offer(f: Fields) -> Offer | None:
    kind, regions = f.nested("instance_type"), f.raw("regions_with_capacity_available")
    if kind.nested("specs").count("gpus") != 1 or not isinstance(regions, list) or not regions:
        return None
    gpu = kind.text("gpu", "gpu_description") or ""
    size = _SIZE.search(gpu)
    return Offer(
        id=kind.text("name"),
        gpu=gpu.partition(" (")[0] or None,
        vram_bytes=int(size[1]) * GIB if size else None,
        region=Fields({"region": regions[0]}).nested("region").text("name"),
        usd_per_hour=_usd(kind),
    )


def parse_instances(body: bytes) -> InstancesReading:
    """The user's instances that have a GPU."""
    return read_instances(load(body), "data", NAME, _instance)


def _instance(f: Fields) -> InstanceReading | None:
    kind = f.nested("instance_type")
    if kind.nested("specs").count("gpus") == 0:
        return None
    return InstanceReading(
        id=f.text("id"),
        gpu=(kind.text("description") or "").partition(" (")[0] or None,
        region=f.nested("region").text("name"),
        status=f.text("status"),
        usd_per_hour=_usd(kind),
    )


def _usd(kind: Fields) -> float | None:
    cents = kind.amount("usd_per_hour", "price_cents_per_hour")
    return None if cents is None else cents / 100
