"""Offers and rented instances: when they are polled, how long they hold, what they decide."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tokentop.collect.collector import Collector
from tokentop.config.schema import Config, OffersConfig, ProviderConfig
from tokentop.domain.policy import CapacityPolicy, Policy
from tokentop.domain.readings import DeviceReading, Failure, GpusReading
from tokentop.domain.snapshot import Service, Snapshot
from tokentop.secret import Secret
from tokentop.transport.http.failures import failure_for_status
from tokentop.transport.http.messages import Reply

PAYLOADS = Path(__file__).parents[1] / "payloads" / "offers"
WALL = 1_795_262_671.0
KEY = Secret("k3y-of-a-cloud")
URLS = OffersConfig()
ALL = OffersConfig(*(one._replace(token=KEY) for one in URLS))
GIB = 2**30


def config(offers: OffersConfig = ALL, **changes: Any) -> Config:
    return Config(offers=offers, **changes)


def collector(offers: OffersConfig = ALL, **changes: Any) -> Collector:
    return Collector(config(offers, **changes), host="box", demo=False)


def reply(key: str, change: Callable[[Any], object] = id) -> Reply:
    """The documented answer, changed in place."""
    document = json.loads((PAYLOADS / f"{key}.json").read_text())
    change(document)
    return Reply(200, json.dumps(document).encode())


def service(snapshot: Snapshot, name: str) -> Service:
    return next(one for one in snapshot.services if one.name == name)


def answered(subject: Collector, *keys: str, now: float = 0.0) -> Collector:
    for key in keys:
        subject.record(key, reply(key), now)
    return subject


def test_nothing_is_polled_without_a_key() -> None:
    assert collector(OffersConfig()).sources == ()
    vast = OffersConfig(vast=ProviderConfig("https://v", KEY))
    assert [one.key for one in collector(vast).sources] == ["vast/offers", "vast/instances"]


def test_every_request_is_a_get_with_the_key_in_its_header() -> None:
    """No body, no key in an address, certificates verified, time and size bounded."""
    for source in collector().sources:
        request = source.request
        assert (request.post, request.verify, request.token) == (None, True, KEY)
        assert "k3y" not in request.url
        assert request.timeout_s == 10.0
        assert request.max_bytes == 2 * 2**20


@pytest.mark.parametrize("outcome", ["answers", "refuses", "limits", "hangs"])
def test_a_list_is_polled_once_in_five_minutes(outcome: str) -> None:
    """However that went: a refusal or a limit is not a reason to come back sooner."""
    found: Reply | Failure | None = {
        "answers": reply("runpod/offers"),
        "refuses": failure_for_status(401, "https://r/", with_token=True),
        "limits": failure_for_status(429, "https://r/", with_token=True),
        "hangs": Failure("timeout", "no answer"),
    }[outcome]
    assert found is not None
    subject = collector()
    assert subject.due("runpod/offers", 0.0)
    subject.record("runpod/offers", found, 1.0)
    assert not subject.due("runpod/offers", 5.0)
    assert not subject.due("runpod/offers", 300.9)
    assert subject.due("runpod/instances", 5.0)
    assert subject.due("runpod/offers", 301.0)


def test_what_was_listed_holds_until_the_next_poll() -> None:
    """Not stale between two polls, stale when the next one does not come."""
    subject = answered(collector(), "lambda/instances")
    assert not subject.snapshot(305.0, WALL).cloud.stale
    assert subject.snapshot(330.0, WALL).cloud.stale


def test_a_refusal_is_one_sentence_and_leaves_what_was_known() -> None:
    subject = answered(collector(), "lambda/instances")
    refused = failure_for_status(401, "https://cloud.lambda.ai/x", with_token=True)
    assert refused is not None
    subject.record("lambda/instances", refused, 301.0)
    snapshot = subject.snapshot(302.0, WALL)
    assert snapshot.cloud.stale
    assert len(snapshot.cloud.instances or ()) == 1
    assert service(snapshot, "lambda").error == (
        "https://cloud.lambda.ai refused the token (401): check what token_env or token_file "
        "holds (instances)"
    )


def test_a_rate_limit_is_named() -> None:
    subject = collector()
    limited = failure_for_status(429, "https://api.runpod.io/v2/pods", with_token=True)
    assert limited is not None
    subject.record("runpod/instances", limited, 0.0)
    error = service(subject.snapshot(1.0, WALL), "runpod").error
    assert error == "https://api.runpod.io wants fewer requests (429) (instances)"


def test_instances_of_all_providers_make_one_bill() -> None:
    """What runs is summed; what is only ending is still paid, and does not serve."""
    subject = answered(collector(), "vast/instances", "runpod/instances", "lambda/instances")
    cloud = subject.snapshot(1.0, WALL).cloud
    assert cloud.source == "vast+runpod+lambda"
    assert cloud.active == 2
    assert cloud.usd_per_hour == pytest.approx(0.8021 + 0.44 + 15.92)
    assert [one.provider for one in cloud.instances or ()] == ["Vast.ai", "RunPod", "Lambda"]


def offer(gpu: str, gib: int, usd: float) -> Callable[[Any], object]:
    changes = {"name": gpu, "memory": gib, "price": {"secure": usd, "community": usd}}
    return lambda document: document["gpus"][0].update(changes)


def next_gpu(subject: Collector) -> tuple[str | None, float | None, str]:
    found = subject.snapshot(1.0, WALL).capacity.next_instance
    return found.gpu, found.usd_per_hour, found.source


def test_the_next_gpu_is_the_cheapest_suitable_offer_of_all_providers() -> None:
    """A box with a 40 GiB GPU: 24 GiB do not suit, 80 GiB at a lower price than 48 do."""
    subject = collector()
    subject.record_gpus(GpusReading((DeviceReading(0, "GPU-1", "A100", "box", 0, 40 * GIB),)), 0, 0)
    assert next_gpu(subject)[2] == "default"
    subject.record("runpod/offers", reply("runpod/offers", offer("RTX 4090", 24, 0.2)), 0.0)
    assert next_gpu(subject)[2] == "default"

    def one(document: Any) -> None:
        kind = document["data"]["gpu_8x_example"]["instance_type"]
        kind["specs"]["gpus"] = 1
        kind |= {"gpu_description": "H100 (80 GB PCIe)", "price_cents_per_hour": 249}

    subject.record("lambda/offers", reply("lambda/offers", one), 0.0)
    assert next_gpu(subject) == ("H100", 2.49, "offer")


def test_the_user_may_say_how_large_the_next_gpu_must_be() -> None:
    """On a box without a GPU nothing else does."""
    policy = Policy(capacity=CapacityPolicy(vram_gb=48.0))
    for subject, expected in ((collector(), "offer"), (collector(policy=policy), "default")):
        subject.record("runpod/offers", reply("runpod/offers"), 0.0)
        assert next_gpu(subject)[2] == expected


def test_rented_instances_start_no_countdown_where_nothing_ends_them() -> None:
    """Only the stack ends a surplus instance."""
    subject = answered(collector(), "runpod/instances")
    for now in (0.0, 1000.0):
        assert subject.snapshot(now, WALL).capacity.scale_down_in_s is None


def test_a_later_call_knows_what_an_earlier_one_was_told() -> None:
    """A status bar calls every few seconds, and each call is a process of its own."""
    first = answered(collector(), "runpod/offers", "vast/instances")
    limited = failure_for_status(429, "https://x", with_token=True)
    assert limited is not None
    first.record("lambda/offers", limited, 0.0)
    second = collector()
    second.restore(json.loads(json.dumps(first.dump())), 100.0)
    for key in ("runpod/offers", "vast/instances", "lambda/offers"):
        assert not second.due(key, 299.0)
        assert second.due(key, 300.0)
    before, after = first.snapshot(100.0, WALL), second.snapshot(100.0, WALL)
    assert after.capacity.next_instance == before.capacity.next_instance
    assert after.cloud == before.cloud
    assert not after.cloud.stale
    assert service(after, "lambda").error == service(before, "lambda").error


def test_no_provider_counts_for_the_health_of_the_box() -> None:
    """What the clouds answer is news about them."""
    subject = collector()
    subject.record_gpus(GpusReading((DeviceReading(0, "GPU-1", "A100", "box", 0, 40 * GIB),)), 0, 0)
    healthy = subject.snapshot(1.0, WALL).health
    for source in subject.sources:
        subject.record(source.key, Failure("refused", "nothing listens there"), 1.0)
    after = subject.snapshot(2.0, WALL)
    assert after.health.state == healthy.state
    assert not any(up for _, up in after.services_online)
