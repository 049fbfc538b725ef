"""What the clouds' lists mean, by their own documentation, and what is never asked of them."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.anyjson import documents, encode, leaves
from tokentop.domain.readings import InstanceReading, Offer
from tokentop.sources.json_fields import BadData
from tokentop.sources.offers.providers import LISTS
from tokentop.sources.offers.rows import best

PAYLOADS = Path(__file__).parents[2] / "payloads" / "offers"
BY_KEY = {row.key: row for row in LISTS}
GIB = 2**30
MIB = 2**20


def payload(key: str) -> Any:
    return json.loads((PAYLOADS / f"{key}.json").read_text())


def parsed(key: str, document: object) -> Any:
    return BY_KEY[key].parse(json.dumps(document).encode())


def one_gpu(key: str, **changes: object) -> Any:
    """The documented list of offers with one GPU in its first row, and other changes there."""
    document = payload(key)
    if key.startswith("vast"):
        document["offers"][0] |= {"num_gpus": 1, **changes}
    elif key.startswith("lambda"):
        row = document["data"]["gpu_8x_example"]
        row["instance_type"]["specs"]["gpus"] = 1
        row["instance_type"] |= changes
    else:
        document["gpus"][0] |= changes
    return document


@pytest.mark.parametrize(
    ("key", "offer"),
    [
        ("vast/offers", Offer("12345678", "Imaginary RTX 9999", 24576 * MIB, "Atlantis, AT",
                              "Vast.ai", 0.234567)),
        ("runpod/offers", Offer("NVIDIA GeForce RTX 4090", "RTX 4090", 24 * GIB, "US-KS-2",
                                "RunPod", 0.44)),
        ("lambda/offers", Offer("gpu_8x_example", "Example GPU", 40 * GIB, "us-west-1",
                                "Lambda", 15.92)),
    ],
)  # fmt: skip
def test_a_documented_offer(key: str, offer: Offer) -> None:
    """Price of one GPU in USD an hour, VRAM in bytes, where it is and whose."""
    reading = parsed(key, one_gpu(key))
    assert (reading.offers, reading.bad) == ((offer,), ())


@pytest.mark.parametrize(
    ("key", "instance"),
    [
        ("vast/instances", InstanceReading("312", "RTX 4090", "California, United States",
                                           "running", None, 0.8021, provider="Vast.ai")),
        ("runpod/instances", InstanceReading("7h9k2m4n6p", "NVIDIA GeForce RTX 4090", "US-KS-2",
                                             "running", None, 0.44, provider="RunPod")),
        ("lambda/instances", InstanceReading("0920582c7ff041399e34823a0be62549", "8x Example GPU",
                                             "us-west-1", "terminating", None, 15.92,
                                             provider="Lambda")),
    ],
)  # fmt: skip
def test_a_documented_instance(key: str, instance: InstanceReading) -> None:
    """What is rented now; the price is of the whole instance."""
    assert parsed(key, payload(key)).instances == (instance,)


@pytest.mark.parametrize("key", [key for key in BY_KEY if key.endswith("instances")])
def test_nothing_private_is_kept(key: str) -> None:
    """The answers hold start scripts, addresses, ssh commands and tokens of notebooks."""
    kept = repr(parsed(key, payload(key)))
    for private in ("echo", "192.0.2", "198.51.100", "195.26", "ssh", "df77e270", "03b7d30d"):
        assert private not in kept


def test_several_gpus_are_no_offer_of_one() -> None:
    """Their price is of all of them, and they are rented together or not at all."""
    assert parsed("vast/offers", payload("vast/offers")).offers == ()
    assert parsed("lambda/offers", payload("lambda/offers")).offers == ()
    rented = payload("vast/instances")
    rented["instances"][0]["num_gpus"] = 4
    assert parsed("vast/instances", rented).instances[0].gpu == "4x RTX 4090"


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("vast/offers", {"rentable": False}),
        ("vast/offers", {"dph_total": 0}),
        ("vast/offers", {"gpu_ram": None}),
        ("runpod/offers", {"availability": "NONE"}),
        ("runpod/offers", {"availability": None}),
        ("runpod/offers", {"secure": False}),
        ("runpod/offers", {"price": {"secure": 0.0}}),
        ("lambda/offers", {"gpu_description": "Example GPU"}),
    ],
)
def test_what_cannot_be_had_or_judged_is_no_offer(key: str, changes: dict[str, object]) -> None:
    """Out of stock, not rentable, without a price or a size."""
    reading = parsed(key, one_gpu(key, **changes))
    assert (reading.offers, reading.bad) == ((), ())


def test_a_type_that_no_region_has_is_no_offer() -> None:
    document = one_gpu("lambda/offers")
    document["data"]["gpu_8x_example"]["regions_with_capacity_available"] = []
    assert parsed("lambda/offers", document).offers == ()


@pytest.mark.parametrize(
    ("key", "changes", "bad"),
    [
        ("vast/offers", {"dph_total": "cheap"}, "usd_per_hour"),
        ("vast/offers", {"gpu_ram": -1}, "vram_bytes"),
        ("runpod/offers", {"price": {"secure": -0.1}}, "usd_per_hour"),
        ("lambda/offers", {"price_cents_per_hour": [75]}, "usd_per_hour"),
    ],
)
def test_an_unusable_figure_is_named(key: str, changes: dict[str, object], bad: str) -> None:
    """An offer whose price or size is of another kind is left out, and not in silence."""
    reading = parsed(key, one_gpu(key, **changes))
    assert (reading.offers, reading.bad) == ((), (bad,))


def test_instances_beyond_the_first_page_are_missed_aloud() -> None:
    """The documented answer holds one of 42."""
    assert parsed("vast/instances", payload("vast/instances")).bad == ("instances",)
    whole = payload("vast/instances") | {"total_instances": 1}
    assert parsed("vast/instances", whole).bad == ()


def test_a_pod_without_a_gpu_is_no_rented_gpu() -> None:
    document = payload("runpod/instances")
    del document["pods"][0]["gpu"]
    assert parsed("runpod/instances", document).instances == ()


def test_an_instance_that_is_being_provisioned_does_not_serve() -> None:
    """Vast.ai's status is null then; one without any would count as serving."""
    document = payload("vast/instances")
    document["instances"][0]["actual_status"] = None
    assert parsed("vast/instances", document).instances[0].status == "provisioning"


def test_the_search_asks_for_what_it_shows() -> None:
    """By the documentation's own filters and operators: one verified GPU on demand, by price."""
    asked = urlsplit(BY_KEY["vast/offers"].path)
    query = json.loads(parse_qs(asked.query)["q"][0])
    assert (asked.path, query["type"]) == ("/api/v0/bundles/", "on-demand")
    assert query["num_gpus"] == {"eq": 1}
    assert query["verified"] == query["rentable"] == {"eq": True}
    assert query["order"] == [["dph_total", "asc"]]
    large = parse_qs(urlsplit(BY_KEY["vast/offers"].path_for(80.0)).query)
    assert json.loads(large["q"][0]) == query | {"gpu_ram": {"gte": 80_000}}


WRAPPERS = ("offers", "instances", "gpus", "pods", "data")
LEAVES = ("gpu_name", "num_gpus", "gpu_ram", "dph_total", "price", "memory", "secure", "specs",
          "instance_type", "dataCenters", "regions_with_capacity_available")  # fmt: skip
ROWS = st.dictionaries(st.sampled_from(LEAVES), documents)


@settings(max_examples=25)
@given(st.lists(ROWS | documents) | documents)
def test_any_answer_is_a_reading_or_bad_data(document: object) -> None:
    """Whatever a server sends: nothing else is raised, and no figure is NaN or negative."""
    body = encode(dict.fromkeys(WRAPPERS, document))
    for row in LISTS:
        with suppress(BadData):
            for value in leaves(row.parse(body)):
                assert not isinstance(value, float | int) or 0 <= value < float("inf")


SIZES = st.integers(0, 200)
PRICES = st.floats(0.0, 50.0)


@given(st.lists(st.builds(Offer, vram_bytes=SIZES, usd_per_hour=PRICES), max_size=40), SIZES)
def test_the_offers_that_are_kept_answer_every_question(offers: list[Offer], size: int) -> None:
    """The cheapest GPU of at least any size costs the same among them as among all."""

    def cheapest(among: Any) -> float | None:
        fits = [o.usd_per_hour for o in among if o.vram_bytes >= max(size, 1) and o.usd_per_hour]
        return min(fits, default=None)

    kept = best(offers)
    assert cheapest(kept) == cheapest(offers)
    assert [o.usd_per_hour for o in kept] == sorted(o.usd_per_hour for o in kept)
