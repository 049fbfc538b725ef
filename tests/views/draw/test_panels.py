"""What single panels say, state by state."""

import pytest

from tests import engine_examples, examples
from tests.views.draw.composed import composed, model, panel_lines
from tokentop.domain.readings import Failure, GpusReading
from tokentop.domain.snapshot import Cloud, CloudInstance, Gpu, Llm, Snapshot, Tier
from tokentop.domain.verdict.tiers import tier_word
from tokentop.light_typing import get_args
from tokentop.views.palette import tier_theme
from tokentop.views.tui.draw.kit.line import DrawOptions, Line
from tokentop.views.tui.draw.layout import Placement
from tokentop.views.tui.draw.panels import (
    banner,
    capacity,
    cloud,
    header,
    metrics,
    services,
    tokens,
    welcome,
)
from tokentop.views.tui.draw.panels import multiplier as gauge
from tokentop.views.tui.draw.panels.engines import table
from tokentop.views.tui.draw.panels.gpus import panel as gpus
from tokentop.views.tui.draw.panels.gpus.rows import arranged, short_name
from tokentop.views.tui.draw.panels.slots import panel as slots
from tokentop.views.tui.draw.registry import DASHBOARD, ELSEWHERE, panel_of
from tokentop.views.tui.state import ViewState

LOOK = DrawOptions(clock="12:04:31")
SNAPSHOTS = [build() for build in (examples.STATES | engine_examples.STATES).values()]


def said(lines: list[Line]) -> str:
    return "\n".join("".join(text for text, _ in line) for line in lines)


def styles(lines: list[Line]) -> set[str]:
    return {style for line in lines for text, style in line if text.strip()}


@pytest.mark.parametrize(
    ("snapshot", "words"),
    [
        (examples.low(), "Room for 39 more requests"),
        (examples.surge(), "Busy: 12 requests wait"),
        (examples.saturated(), "Full: 55 requests wait"),
        (examples.first_paint(), "No data yet"),
    ],
)
def test_the_banner_speaks_its_mode(snapshot: Snapshot, words: str) -> None:
    """Each mode has its words; nothing known is no mode."""
    assert words in said(banner.lines(snapshot, 78, 2, LOOK))
    assert words in said(banner.lines(snapshot, 116, 3, LOOK))


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (78, "FULL   Full: 23 requests wait for gemma4-12b  "),
        (72, "FULL   23 requests wait for gemma4-12b  "),
        (58, "FULL   23 requests wait  "),
        (38, "FULL   23 wait  "),
    ],
)
def test_a_banner_without_room_leaves_out_what_its_badge_says(width: int, words: str) -> None:
    """Never the bare name of a model, and not "Full" twice."""
    assert words in said(banner.lines(engine_examples.priced(), width, 2, LOOK))


def test_the_full_banner_says_what_comes_next_and_the_capacity_panel_does_not() -> None:
    """When compute is full the next instance and its price are said once, at the top."""
    snapshot = examples.saturated()
    for width, height in ((78, 2), (116, 3)):
        text = said(banner.lines(snapshot, width, height, LOOK))
        assert "next H200 141GB · US-East · $2.49/h" in text
    for width, height in ((78, 1), (38, 5)):
        text = said(capacity.lines(snapshot, width, height, LOOK))
        assert "more is needed" in text
        assert "H200" not in text
        assert "H200" in said(capacity.lines(examples.surge(), width, height, LOOK))


def test_the_queue_has_one_figure_and_one_trend() -> None:
    """The figure beside the slots; the trend there too, or in the tokens panel of engines."""
    stack, engines = examples.surge(), engine_examples.both()
    for width, height in ((78, 1), (36, 5), (30, 1)):
        assert "queue" not in said(metrics.lines(stack, width, height, LOOK))
    for snapshot in (stack, engines):
        assert said(slots.lines(snapshot, 110, 7, LOOK)).count("queued") == 1
    assert "queue " in said(slots.lines(stack, 110, 7, LOOK))
    assert "queue " not in said(slots.lines(engines, 110, 7, LOOK))
    assert "queue " in said(tokens.lines(engines, 110, 5, LOOK))


@pytest.mark.parametrize(("height", "words"), [(1, "1 of 3"), (2, "1–1 of 3"), (3, "")])
@pytest.mark.parametrize("width", [30, 78, 110])
def test_a_cut_list_of_rented_gpus_has_its_position(height: int, words: str, width: int) -> None:
    rented = tuple(CloudInstance(gpu=gpu, status="running") for gpu in ("L40S", "H100", "B200"))
    text = said(cloud.lines(Snapshot(cloud=Cloud(rented)), width, height, LOOK))
    assert words in text
    assert (" of " in text) == (height < 3)
    assert "L40S" in text


@pytest.mark.parametrize("tier", get_args(Tier))
def test_the_banner_names_the_tier_in_a_word_beside_its_colour(tier: str) -> None:
    """The tier's colour never stands alone."""
    snapshot = examples.low()
    snapshot = snapshot._replace(demand=snapshot.demand._replace(tier=tier))  # type: ignore[arg-type]
    drawn = banner.lines(snapshot, 78, 2, LOOK)
    assert f"badge.{tier}" in styles(drawn)
    assert {"saturated": "FULL"}.get(tier, tier.upper()) in said(drawn)


@pytest.mark.parametrize("tier", get_args(Tier))
def test_events_call_a_tier_what_its_badge_does(tier: Tier) -> None:
    """One word for each on the whole screen."""
    assert tier_theme(tier).word == tier_word(tier)


def test_a_queue_beyond_the_slots_is_seen() -> None:
    """Queued requests that no slot is left for have a segment and a number of their own."""
    drawn = slots.lines(examples.saturated(), 78, 2, LOOK)
    assert "55 queued (+55 beyond)" in said(drawn)
    assert "fill.beyond" in styles(drawn)
    assert "fill.beyond" not in styles(slots.lines(examples.low(), 78, 2, LOOK))


def test_slots_are_shared_out_exactly() -> None:
    """12 of 48 slots active and 12 queued: a quarter of the bar each, half of it free."""
    snapshot = Snapshot(llm=Llm(12, 12, 48, 36))
    bar = slots.lines(snapshot, 48, 5, LOOK)[0]
    assert [(style, len(text)) for text, style in bar] == [
        ("fill.active", 12),
        ("fill.queued", 12),
        ("free", 24),
    ]


def test_models_that_do_not_fit_are_counted() -> None:
    """Chips are cut to the width and the rest is a number."""
    llm = Llm(1, 0, 4, models=tuple(f"model-{i}" for i in range(9)))
    line = said([slots.models(llm, 40)])
    assert line.rstrip().endswith("+6 more")


SERVICES = ("genesis", "microscheduler", "compute", "accel")  # Mint and the driver go on


@pytest.mark.parametrize("panel", ["slots", "gpus", "cloud", "multiplier", "capacity"])
def test_a_stale_panel_keeps_its_figures_without_colour(panel: str) -> None:
    """Stale: the same words in the same cells, no live style left but the driver's trouble."""
    place = Placement(panel, 0, 0, 100, 8, "frame")
    box = examples.stack(0.88, 43, 12, rented=2, without=("acta",))  # its last word does not count
    fresh = panel_lines(box.snapshot(), place, LOOK)
    old = panel_lines(
        box.silent(*(("nvml",) if panel == "gpus" else SERVICES), age_s=47.0).snapshot(),
        place,
        LOOK,
    )
    if panel != "gpus":
        assert said(old).splitlines()[1:] == said(fresh).splitlines()[1:]
    calm = {"stale", "bar.stale", "track", "frame", "free", "title", "dim"}
    assert styles(old[1:]) <= calm | ({"error"} if panel == "gpus" else set())


@pytest.mark.parametrize("panel", ["slots", "gpus", "cloud", "capacity"])
def test_an_absent_panel_says_one_sentence(panel: str) -> None:
    """Absent: one calm sentence in the same room."""
    drawn = panel_lines(examples.first_paint(), Placement(panel, 0, 0, 80, 6), LOOK)
    assert len(drawn) == 6
    assert len([line for line in said(drawn).splitlines() if line.strip()]) == 1
    assert styles(drawn) == {"dim"}


def test_ages_tick_between_polls() -> None:
    """The time since the snapshot is added to every age, and taken off the countdown."""
    later = LOOK._replace(elapsed_s=5.0)
    assert "data 47s ago" in said(header.lines(examples.silent(), 100, 1, LOOK))
    assert "data 52s ago" in said(header.lines(examples.silent(), 100, 1, later))
    assert "52s old" in said(gpus.lines(examples.silent(), 78, 8, later))
    assert "9:36" in said(capacity.lines(examples.idle(), 78, 1, later))


@pytest.mark.parametrize("panel", sorted({*DASHBOARD, *ELSEWHERE}))
@pytest.mark.parametrize("size", [(38, 1), (58, 2), (78, 4), (118, 8)])
def test_what_changes_between_two_polls_ticks(panel: str, size: tuple[int, int]) -> None:
    """A panel whose picture is another one a minute later says so; else it would stand still."""
    for border in ("bare", "rule", "frame"):
        place = Placement(panel, 0, 0, *size, border)  # type: ignore[arg-type]
        for snapshot in SNAPSHOTS:
            now, later = (panel_lines(snapshot, place, LOOK._replace(elapsed_s=s)) for s in (0, 60))
            assert now == later or panel_of(panel).ticks(snapshot)


def test_what_does_not_change_does_not_tick() -> None:
    """While all sources answer, the header's age alone is drawn again every second."""
    panels = map(panel_of, (*DASHBOARD, *ELSEWHERE))
    assert [panel.name for panel in panels if panel.ticks(examples.high())] == ["header"]
    assert panel_of("capacity").ticks(examples.idle())


def test_figures_keep_their_cells() -> None:
    """From poll to poll digits change, but no label and no separator moves."""

    def skeleton(snapshot: Snapshot) -> list[int]:
        row = said(gpus.lines(snapshot, 78, 8, LOOK)).splitlines()[0]
        return [i for i, c in enumerate(row) if c in "/G%°W"]

    assert skeleton(examples.idle()) == skeleton(examples.surge()) == skeleton(examples.low())


def test_gpu_trouble_is_said_in_words() -> None:
    """Suspended, lost, failing and shared memory each have their words in the GPU's own row."""
    rows = said(gpus.lines(examples.troubled(), 78, 8, LOOK)).splitlines()
    assert "suspended" in rows[4]
    assert "lost 12s, had 101.1/140.4 G — fell off the bus: see dmesg for Xid" in rows[5]
    assert "error 12s, had 94.1/140.4 G — the driver timed out" in rows[7]
    assert "12s old" in rows[2]
    assert "shared memory" in said(gpus.lines(examples.mig(), 78, 8, LOOK))


HANGS = Failure("timeout", "the NVIDIA driver does not answer (nvmlInit has lasted 9.0 s)")
UPDATED = Failure("driver", "the NVIDIA driver was updated while the old one is still loaded")
UNLOADED = Failure("absent", "the NVIDIA driver is loaded but finds no GPU")


@pytest.mark.parametrize(
    ("failure", "word", "state"),
    [(HANGS, "silent", "timeout"), (UPDATED, "fails", "refuses"), (UNLOADED, "gone", "gone")],
)
@pytest.mark.parametrize("view", ["dashboard", "gpus"])
def test_the_driver_is_in_words_while_all_else_is_well(
    failure: Failure, word: str, state: str, view: str
) -> None:
    """Accel lists the GPUs, all services answer, and the driver's trouble stands beside them."""
    box = examples.stack(0.5, 20, 0).answers("accel/gpu_metrics", GpusReading(examples.pool(0.5)))
    snapshot = box.answers("nvml", failure).snapshot()
    assert all(up for _, up in snapshot.services_online)
    assert {gpu.state for gpu in snapshot.gpus} == {"ok"}
    drawn = said(composed(model(snapshot, ViewState(view)), 200, 60))  # type: ignore[arg-type]
    assert f"GPU pool · driver {word}" in drawn
    if view == "dashboard":
        assert f": {state}" in drawn.split("● acta")[1]
    else:
        assert failure.text[1:] in drawn


def test_a_box_that_never_had_a_driver_misses_none() -> None:
    """No NVIDIA driver from the start is no trouble."""
    drawn = said(composed(model(examples.no_gpu()), 120, 40))
    assert "driver silent" not in drawn
    assert "driver gone" not in drawn


def test_sorting_puts_the_largest_first_and_the_unknown_last() -> None:
    """By any figure; MIG instances stay beneath their card."""
    cards = (examples.gpu(0, 10), examples.gpu(1, 90), Gpu(2, "u", "x"), examples.gpu(3, 50))
    assert [g.index for g in arranged(cards, "vram")] == [1, 3, 0, 2]
    assert [g.index for g in arranged(cards, "util")] == [1, 3, 0, 2]
    assert [g.index for g in arranged(cards)] == [0, 1, 2, 3]
    names = [g.mig is None for g in arranged(examples.mig().gpus, "name")]
    assert names == [True, False, False, False, True, True]


def test_filtering_keeps_what_matches_and_its_parent() -> None:
    """Every word must be found in name, UUID, state, host or processes."""
    found = arranged(examples.mig().gpus, wanted="2G.20gb")
    assert {g.uuid for g in found if g.mig} == {"MIG-0", "MIG-1", "MIG-2"}
    assert arranged(examples.high().gpus, wanted="vllm 00000003")[0].index == 3
    assert arranged(examples.high().gpus, wanted="h100") == []


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("NVIDIA H200", "H200"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("NVIDIA A100-SXM4-80GB", "A100 80GB"),
        ("Tesla T4", "T4"),
        ("NVIDIA", "NVIDIA"),
    ],
)
def test_names_are_short(name: str, short: str) -> None:
    """What every card is called alike goes; what is left is never nothing."""
    assert short_name(Gpu(name=name)) == short


def test_sixty_four_gpus_fold_until_all_are_seen() -> None:
    """A pool too long for its room stands in columns, every GPU once."""
    text = said(gpus.lines(examples.gpus(64), 78, 8, LOOK))
    assert [w for w in range(64) if f" {w} " in f" {text} ".replace("\n", " ")] == list(range(64))


def test_a_pool_that_cannot_fold_scrolls() -> None:
    """The offset moves the window and stops at the last GPU."""
    text = said(gpus.lines(examples.gpus(64), 20, 4, LOOK._replace(offset=999)))
    assert " 63 " in f" {text} ".replace("\n", " ")


@pytest.mark.parametrize("at", [0.0, 0.3, 0.55, 0.8, 1.0])
def test_the_present_point_stands_where_it_is_on_the_curve(at: float) -> None:
    """The marked cell lies at the utilisation's column, the higher the dearer."""
    snapshot = examples.busy(at, 1, 0)
    rows = said(gauge.lines(snapshot, 47, 9, LOOK)).splitlines()
    (x, y) = next((row.index("●"), i) for i, row in enumerate(rows) if "●" in row)
    assert x == 6 + round(at * 40)
    assert y == (31 - round((examples.curve(at) - 1) / 5 * 31)) // 4


def test_the_banner_says_what_a_request_costs() -> None:
    """Beside how full it is, in the same voice: nothing, or so many credits at this demand."""
    free, charged = (
        said(banner.lines(build(), 116, 3, LOOK)) for build in (examples.low, examples.paying)
    )
    assert "requests cost nothing" in free
    assert f"a request costs {10 * examples.curve(0.27):.1f} credits" in charged


def test_everything_free_is_said_and_the_price_still_known() -> None:
    """Free shows the word with the price behind it; charged shows what a request costs now."""
    snapshot = examples.low()
    assert metrics.base_cost(snapshot) == ("free", "10 cr")
    charged = examples.paying()
    now = 10 * examples.curve(0.27)  # ten credits, times the published curve
    assert metrics.base_cost(charged) == (f"{now:.1f}", "cr, base 10")


def test_unusual_circumstances_are_badges() -> None:
    """DEMO, PAUSED and unverified TLS are said in the header, at any usual width."""
    snapshot = examples.low()._replace(demo=True)
    for width in (60, 80, 120):
        text = said(header.lines(snapshot, width, 1, LOOK._replace(paused=True, insecure_tls=True)))
        assert all(word in text for word in ("DEMO", "PAUSED", "TLS UNVERIFIED"))


def test_a_service_that_is_down_is_brighter_than_the_others() -> None:
    """The strip names every state in a word; what is down stands out."""
    drawn = services.lines(examples.troubled(), 116, 2, LOOK)
    assert any("compute" in text for text, style in drawn[0] if style == "error")
    assert all(w in said(drawn) for w in ("refused", "HTTP 5xx", "stale 12s", "bad data", "3 ms"))


def test_a_search_without_room_for_all_candidates_says_so() -> None:
    """Where it says what was looked at, and where no engine is listed."""
    crowded = LOOK._replace(searched=(64, 203))
    assert "(64 of 203 such places)" in said(welcome.lines(examples.empty(), 118, 30, crowded))
    assert "64 of 203" in said(table.lines(examples.empty(), 118, 4, crowded))
    assert " of " not in said(table.lines(examples.empty(), 118, 4, LOOK))


def test_an_empty_machine_says_what_to_try() -> None:
    """What to try and how to name an engine at every size, where it looked wherever it fits."""
    for width, height in ((38, 8), (78, 18), (118, 30)):
        text = said(welcome.lines(examples.empty(), width, height, LOOK))
        assert all(word in text for word in ("--demo", "doctor", "config", "[[engine]]"))
        assert ("8000 vllm" in text) == (height > 8)
        assert "genesis" not in text
