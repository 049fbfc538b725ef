"""Vast.ai: verified machines with one GPU on demand, the cheapest first; the user's instances.

https://docs.vast.ai/api-reference/search/search-offers has the filters and fields. That page sends
them in a POST; https://www.vast.ai/developers/api sends the same as `q` of a GET.
"""

import json
from urllib.parse import quote

from tokentop.domain.readings import InstanceReading, InstancesReading, Offer, OffersReading
from tokentop.sources.json_fields import Fields, load
from tokentop.sources.offers.rows import counted, read_instances, read_offers

NAME = "Vast.ai"
_PAGE = 25  # instances in one answer: the most it gives
_QUERY = {
    "verified": {"eq": True},
    "rentable": {"eq": True},
    "rented": {"eq": False},
    "num_gpus": {"eq": 1},
    "type": "on-demand",
    "order": [["dph_total", "asc"]],
    "limit": 500,  # about 1.2 MB
}
_COLUMNS = ["id", "actual_status", "gpu_name", "num_gpus", "geolocation", "dph_total"]


def _json(value: object) -> str:
    return quote(json.dumps(value, separators=(",", ":")), safe="")


def offers_path(vram_gb: float | None = None) -> str:
    """The search; with `vram_gb` among GPUs of about that size and larger ones."""
    size = {} if vram_gb is None else {"gpu_ram": {"gte": int(vram_gb * 1000)}}
    return f"/api/v0/bundles/?q={_json(_QUERY | size)}"


INSTANCES_PATH = f"/api/v1/instances/?limit={_PAGE}&select_cols={_json(_COLUMNS)}"


def parse_offers(body: bytes) -> OffersReading:
    """The offers of one GPU, in USD an hour with the storage that Vast.ai adds to a search."""
    return read_offers(load(body), "offers", NAME, _offer)


def _offer(f: Fields) -> Offer | None:
    if f.count("num_gpus") != 1 or f.boolean("rentable") is False:
        return None
    return Offer(
        id=f.text("id"),
        gpu=f.text("gpu", "gpu_name"),
        vram_bytes=f.size_mb("vram_bytes", "gpu_ram"),
        region=f.text("region", "geolocation"),
        usd_per_hour=f.amount("usd_per_hour", "dph_total"),
    )


def parse_instances(body: bytes) -> InstancesReading:
    """The user's instances; those beyond the first page are missing, and named in `bad`."""
    document = load(body)
    found = read_instances(document, "instances", NAME, _instance)
    total = Fields(document).count("total_instances") if isinstance(document, dict) else None
    return found._replace(bad=("instances",)) if (total or 0) > len(found.instances) else found


def _instance(f: Fields) -> InstanceReading:
    return InstanceReading(
        id=f.text("id"),
        gpu=counted(f.text("gpu", "gpu_name"), f.count("num_gpus")),
        region=f.text("region", "geolocation"),
        status=f.text("status", "actual_status") or "provisioning",
        usd_per_hour=f.amount("usd_per_hour", "dph_total"),
    )
