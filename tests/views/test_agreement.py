"""Every view of one snapshot shows the same figure."""

import json

from tests.domain.scenario import Scenario
from tests.views.draw.test_panels import said
from tokentop.domain.economy.cost_rate import rate
from tokentop.domain.gpu_pool import power_w
from tokentop.domain.policy import CostPolicy
from tokentop.domain.readings import AccelReading, DeviceReading, GpusReading
from tokentop.domain.snapshot_json import dumps
from tokentop.views.line import line
from tokentop.views.template import parse
from tokentop.views.tui.draw.kit.line import DrawOptions
from tokentop.views.tui.draw.panels import banner, header
from tokentop.views.tui.draw.panels.gpus import panel as gpus

GIB = 2**30


def device(index: int, used: int, state: str = "ok") -> DeviceReading:
    return DeviceReading(
        index,
        f"GPU-{index}",
        "H100",
        vram_used_bytes=used * GIB,
        vram_total_bytes=80 * GIB,
        state=state,  # type: ignore[arg-type]
    )


def test_vram_of_the_pool_is_summed_once() -> None:
    """A lost GPU leaves the sum in the banner, JSON, the line and the pool's title alike."""
    before = GpusReading((device(0, 8), device(1, 70)))
    after = GpusReading((device(0, 8), device(1, 70, "lost")))
    snapshot = Scenario().says("nvml", before, after).says("accel/status", AccelReading()).fold()
    assert json.loads(dumps(snapshot))["demand"]["memory_pressure"] == 0.1
    template = parse("{vram_pct:.0f}% {vram_used}/{vram_total}")
    assert line(snapshot, slots=template) == "10% 8.0/80.0"
    assert "8.0/80.0G" in line(snapshot)
    assert "8.0/80.0 G  10%" in said([gpus.summary(snapshot, DrawOptions())])
    assert " 10%" in said(banner.lines(snapshot, 80, 2, DrawOptions()))


def test_a_failing_gpu_is_in_no_count() -> None:
    """Header, pool, line and the watts of an hour leave it out; it is paid for all the same."""
    two = (device(0, 8)._replace(power_w=400.0), device(1, 70)._replace(power_w=500.0))
    after = (two[0], DeviceReading(1, "GPU-1", state="error", note="the driver timed out"))
    snapshot = Scenario().says("nvml", GpusReading(two), GpusReading(after)).fold()
    assert line(snapshot, slots=parse("{gpus} {vram_used}")) == "1 8.0"
    assert "1 of 2 GPUs · 8.0/80.0 G" in said([gpus.summary(snapshot, DrawOptions())])
    assert "1/2 GPUs" in said(header.lines(snapshot, 100, 1, DrawOptions()))
    assert power_w(snapshot.gpus) == 400.0
    price = rate(CostPolicy(usd_per_gpu_hour=2.0, usd_per_kwh=0.3), snapshot.gpus)
    assert (price.watts, price.usd_per_hour) == (400.0, 4.0)
