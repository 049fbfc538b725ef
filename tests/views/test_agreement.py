"""Every view of one snapshot shows the same figure."""

import json

from tests.domain.scenario import Scenario
from tests.views.draw.test_panels import said
from tokentop.domain.readings import AccelReading, DeviceReading, GpusReading
from tokentop.views.json import dumps
from tokentop.views.line import line
from tokentop.views.template import parse
from tokentop.views.tui.draw.kit.line import DrawOptions
from tokentop.views.tui.draw.panels import banner
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
