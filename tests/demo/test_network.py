import json
import subprocess
import sys

import pytest

from tokentop.demo.answers import answer
from tokentop.demo.clock import demo_clock
from tokentop.demo.stack import FAILING, simulate
from tokentop.demo.transport import dialler
from tokentop.demo.world import World
from tokentop.domain.readings import Failure, GpusReading, OffersReading, QueueReading
from tokentop.sources.aither.endpoints import ENDPOINTS, default_url
from tokentop.transport.http.client_async import Pool
from tokentop.transport.http.client_blocking import fetch, fetch_all
from tokentop.transport.http.messages import Reply, Request

MOMENTS = (0.0, 40.0, 75.0, 100.0, 150.0)
REQUESTS = [Request(default_url(row.service, False) + row.path) for row in ENDPOINTS]


def at(t):
    return demo_clock(t)


class TestAnswers:
    @pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.name)
    @pytest.mark.parametrize("t", MOMENTS)
    def test_every_endpoint_is_understood_without_a_refused_field(self, row, t):
        """Our own parsers read every figure of every row."""
        said = answer(row.path, simulate(t)) if row.service != FAILING else None
        if said is None:
            said = answer(row.path, simulate(40.0))
        parsed = row.parse(said.body)
        assert said.status == 200
        assert parsed.bad == ()
        assert any(value not in (None, ()) for value in parsed) or row.name in (
            "cloud_instances",
            "status",
        )

    def test_the_three_views_of_the_gpus_agree(self):
        """Accel and Compute report what the driver reports, device by device."""
        state = simulate(60.0)
        for path in ("/gpu/devices", "/gpu/metrics"):
            row = next(row for row in ENDPOINTS if row.path == path)
            parsed = row.parse(answer(path, state).body)
            assert isinstance(parsed, GpusReading)
            for theirs, ours in zip(parsed.devices, state.devices, strict=True):
                assert theirs == ours._replace(processes=None, power_limit_w=None, slowdown_c=None)

    def test_offers_are_always_there(self):
        """At every moment there are offers of GPUs, at a price."""
        row = next(row for row in ENDPOINTS if row.name == "cloud_offers")
        for t in range(0, 180, 10):
            parsed = row.parse(answer(row.path, simulate(t)).body)
            assert isinstance(parsed, OffersReading)
            assert len(parsed.offers) == 5
            assert all(o.usd_per_hour and o.vram_bytes for o in parsed.offers)

    def test_the_mint_pool_moves(self):
        """Circulation changes from poll to poll, supply does not."""
        pools = [json.loads(answer("/mint/pool", simulate(t)).body) for t in (0, 4, 8)]
        assert len({pool["circulation"] for pool in pools}) == 3
        assert {pool["circulation"] + pool["balance"] for pool in pools} == {10_000_000}

    def test_unknown_paths_are_404(self):
        """A path of the user's own is no simulated endpoint."""
        assert answer("/nowhere", simulate(0.0)).status == 404

    @pytest.mark.parametrize("path", ["/vram/status", "/proxy/vram/status", "/vram/status?a=1"])
    def test_a_base_path_does_not_matter(self, path):
        """The longest endpoint that the path ends with answers: not accel's /status."""
        assert "total_vram_mb" in json.loads(answer(path, simulate(0.0)).body)


class TestFailingService:
    def test_fails_in_two_ways_and_returns(self):
        """First nothing listens, then it answers 503, then it is back; the others never fail."""
        path = next(row.path for row in ENDPOINTS if row.service == FAILING)
        said = [answer(path, simulate(t)) for t in range(180)]
        status = [one.status if one else None for one in said]
        assert status == [200] * 60 + [None] * 15 + [503] * 10 + [200] * 95

    def test_fails_again_in_the_next_loop_only(self):
        """At the same place of the next loop, and nowhere between."""
        path = next(row.path for row in ENDPOINTS if row.service == FAILING)
        assert answer(path, simulate(180.0)) is not None
        assert answer(path, simulate(245.0)) is None


class TestOneShotTransport:
    def test_all_fifteen_rows_arrive_through_real_sockets(self):
        """fetch_all, given the demo's dial, returns the stack's answers of that moment."""
        replies = fetch_all(REQUESTS, 2.0, dial=dialler(World("stack", 5), at(40.0)))
        for row, reply in zip(ENDPOINTS, replies, strict=True):
            assert isinstance(reply, Reply)
            assert reply.body == answer(row.path, simulate(40.0, 5)).body

    def test_failure_kinds(self):
        """A refusal is a refusal, an error status an error status."""
        request = next(r for r in REQUESTS if r.url.endswith("/streams/stats"))
        refused = fetch(request, dial=dialler(World("stack", 0), at(62.0)))
        assert isinstance(refused, Failure)
        assert refused.kind == "refused"
        error = fetch(request, dial=dialler(World("stack", 0), at(80.0)))
        assert isinstance(error, Failure)
        assert (error.kind, error.status) == ("server-error", 503)
        assert isinstance(fetch(request, dial=dialler(World("stack", 0), at(90.0))), Reply)


class TestPool:
    async def test_says_the_same_as_the_one_shot_transport(self):
        """Both transports carry the same bytes."""
        pool = Pool(dialler(World("stack", 5), at(100.0)))
        for request in REQUESTS:
            one, other = (
                await pool.fetch(request),
                fetch(request, dial=dialler(World("stack", 5), at(100.0))),
            )
            assert isinstance(one, Reply)
            assert one._replace(latency_s=0) == other._replace(latency_s=0)
        await pool.aclose()

    async def test_fails_in_the_same_words(self):
        """A refusal and an error status are the same Failure through either transport."""
        request = next(r for r in REQUESTS if r.url.endswith("/streams/stats"))
        for moment in (62.0, 80.0):
            pool = Pool(dialler(World("stack", 0), at(moment)))
            one = await pool.fetch(request)
            assert isinstance(one, Failure)
            assert one == fetch(request, dial=dialler(World("stack", 0), at(moment)))
            await pool.aclose()


class TestClock:
    def test_frozen_and_running(self):
        """--demo-at stands still; without it the demo begins at 0."""
        now = [500.0]
        running = demo_clock(now=lambda: now[0])
        assert running() == 0.0
        now[0] = 512.5
        assert running() == 12.5
        assert [demo_clock(90.0)() for _ in range(2)] == [90.0, 90.0]


def test_the_queue_is_longer_than_the_slots_at_the_peak():
    """What the screen must be able to show: more waiting than there are slots."""
    row = next(row for row in ENDPOINTS if row.name == "llm_queue")
    parsed = row.parse(answer(row.path, simulate(105.0)).body)
    assert isinstance(parsed, QueueReading)
    assert parsed.queued > parsed.max_slots == parsed.active
    assert parsed.back_pressure is True


def test_importing_the_demo_imports_nothing_heavy():
    """The one-line view pays for what it imports: no httpx, asyncio, textual, rich."""
    code = (
        "import sys; before = set(sys.modules)\n"
        "import tokentop.demo.transport, tokentop.demo.gpus\n"
        "heavy = {'httpx', 'asyncio', 'textual', 'rich', 'pydantic', 'dataclasses', 'inspect',"
        " 'logging', 'pathlib', 'subprocess', 'http.client', 'email', 'urllib.request'}\n"
        "print(sorted(heavy & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
