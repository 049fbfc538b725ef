"""The demo through the same fetch, parse and fold path as reality."""

from itertools import groupby

import pytest

from tokentop.collect.collector import Collector
from tokentop.config.schema import Config, ServiceConfig
from tokentop.demo.stack import FAILING, HOST
from tokentop.demo.transport import dialler
from tokentop.demo.world import World
from tokentop.domain.snapshot import AITHER_SERVICES
from tokentop.domain.verdict.tiers import TIERS
from tokentop.sources.aither.endpoints import default_url
from tokentop.transport.http.client_blocking import fetch_all

SERVICES = tuple(ServiceConfig(name, default_url(name, False)) for name in AITHER_SERVICES)


def walk(seed, step=2, until=200, without=()):
    """One snapshot every `step` seconds of the demo, as a view would get them."""
    services = tuple(s for s in SERVICES if s.name not in without)
    collector = Collector(Config(interval_s=step, services=services), HOST, demo=True)
    now = [0.0]
    world = World("stack", seed)
    dial = dialler(world, lambda: now[0])
    for t in range(0, until, step):
        now[0] = float(t)
        due = [source for source in collector.sources if collector.due(source.key, now[0])]
        replies = fetch_all([source.request for source in due], 2.0, dial=dial)
        for source, reply in zip(due, replies, strict=True):
            collector.record(source.key, reply, now[0])
        collector.record_gpus(world.gpus(now[0]), now[0], 0.001)
        yield t, collector.snapshot(now[0], 1.7e9 + t)


@pytest.fixture(scope="module")
def loop():
    return dict(walk(seed=0))


def test_every_tier_is_reached_within_200_seconds(loop):
    """Idle to saturated and back, in order, by ACTA's pressure."""
    tiers = [tier for tier, _ in groupby(s.demand.tier for s in loop.values())]
    assert tiers[:11] == [*TIERS, *TIERS[-2::-1]]
    assert {s.demand.source for s in loop.values()} == {"acta"}
    assert {s.demand.mode for s in loop.values()} == {"normal", "pressure", "saturated"}


def test_every_tier_is_reached_without_acta_too():
    """The GPUs and the queue carry the walk by themselves."""
    seen = [snapshot.demand for _, snapshot in walk(seed=3, without=("acta",))]
    assert {demand.tier for demand in seen} == set(TIERS)
    assert {demand.source for demand in seen} == {"local"}


def test_the_saturated_stay(loop):
    """About 20 s, in which more wait than there are slots and the multiplier nears its ceiling."""
    full = [s for s in loop.values() if s.demand.tier == "saturated"]
    assert 9 <= len(full) <= 15
    peak = max(full, key=lambda s: s.llm.queued)
    assert peak.llm.queued > peak.llm.max_slots == peak.llm.active
    assert peak.pricing.multiplier > 5.7
    assert peak.capacity.progress == 1.0


def test_the_failing_service_goes_and_returns(loop):
    """One service of seven fails for a while; its breaker opens, then it is online again."""
    states = [next(v.state for v in s.services if v.name == FAILING) for s in loop.values()]
    assert states[0] == "online"
    assert "backing-off" in states
    assert states[-1] == "online"
    for snapshot in loop.values():
        others = dict(snapshot.services_online)
        others.pop(FAILING)
        assert all(others.values())


def test_the_last_good_streams_stay_on_screen(loop):
    """While it fails, its figures are shown as stale rather than lost."""
    failing = [s.parallel for t, s in loop.items() if 62 <= t < 84]
    assert all(p.stale and p.active_streams is not None for p in failing)


def test_a_cloud_instance_comes_up_with_its_price_and_goes(loop):
    """Nothing rented, then provisioning, then active at a price, then nothing again."""
    assert loop[0].cloud.instances == ()
    assert {i.status for i in loop[74].cloud.instances} == {"provisioning"}
    assert (loop[90].cloud.active, loop[90].cloud.usd_per_hour) == (1, pytest.approx(0.42))
    assert loop[178].cloud.active == 0


def test_the_scale_down_countdown_shows_on_the_way_down(loop):
    """Demand has dropped while an instance still runs: the capacity panel counts down."""
    counting = [s.capacity for s in loop.values() if s.capacity.scale_down_in_s is not None]
    assert len(counting) >= 5
    assert all(c.needed and c.scale_down_in_s <= 600 for c in counting)


def test_the_next_instance_has_an_offer(loop):
    """The cheapest offer that holds what the smallest local GPU holds."""
    for snapshot in loop.values():
        offer = snapshot.capacity.next_instance
        assert (offer.gpu, offer.source) == ("RTX 4090", "offer")


def test_nothing_is_missing_or_bad(loop):
    """Every panel has its figures: eight GPUs with processes, mint, agents, models."""
    for snapshot in loop.values():
        assert len(snapshot.gpus) == 8
        assert all(g.state == "ok" and g.source == "nvml" and g.processes for g in snapshot.gpus)
        assert snapshot.demo
        assert snapshot.mint.source == "mint"
        assert None not in (snapshot.mint.supply, snapshot.agents.online, snapshot.agents.active)
        assert snapshot.llm.models
        assert all(v.state != "bad-data" for v in snapshot.services)


def test_the_same_seed_gives_the_same_picture():
    """Two runs with one seed fold to equal figures; another seed does not."""
    one, same, other = (
        [(s.demand, s.gpus, s.llm, s.cloud, s.mint) for _, s in walk(seed, step=20)]
        for seed in (4, 4, 5)
    )
    assert one == same
    assert one != other
