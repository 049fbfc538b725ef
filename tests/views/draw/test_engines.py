"""What the panels say of engines: who holds VRAM, whose slots, which tokens at what cost."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import engine_examples as boxes
from tests.box import row
from tests.views.draw import strategies as some
from tests.views.draw.test_exact import check
from tests.views.draw.test_panels import said, styles
from tokentop.domain.engines.history import Trends
from tokentop.domain.snapshot import Gpu, Process, Snapshot
from tokentop.domain.snapshot_engines import Cost, Engine, Throughput
from tokentop.views.tui.draw.kit.line import DrawOptions, span_width
from tokentop.views.tui.draw.layout_inputs import layout_inputs
from tokentop.views.tui.draw.panels import banner, costs, services, tokens
from tokentop.views.tui.draw.panels.engines import detail as engine
from tokentop.views.tui.draw.panels.engines import table as engines
from tokentop.views.tui.draw.panels.engines.rows import (
    ENGINE_SORTS,
    listed,
    moved,
    place_of,
    start_at,
)
from tokentop.views.tui.draw.panels.gpus import panel as gpus
from tokentop.views.tui.draw.panels.gpus import vram_split as vram_split
from tokentop.views.tui.draw.panels.slots import panel as slots
from tokentop.views.tui.draw.panels.slots import sections as sections
from tokentop.views.tui.draw.registry import dashboard

LOOK = DrawOptions(clock="12:04:31")
GIB = 2**30
KNOWN = {e.id: e for e in boxes.engines().engines}
pids = st.integers(1, 400)
held = st.lists(
    st.builds(Process, pids, some.texts, some.texts, st.integers(0, 90 * GIB),
              st.sampled_from([*KNOWN, None, "gone"])), max_size=8,
).map(tuple)  # fmt: skip
shared = st.builds(Engine, some.names, st.just("vllm"), active=some.counts, queued=some.counts,
                   max_slots=some.counts, name=some.texts)  # fmt: skip


@given(held, st.integers(0, 100 * GIB), st.integers(1, 100 * GIB), st.integers(1, 120))
@settings(max_examples=60)
def test_a_split_bar_is_exact_and_as_full_as_the_plain_one(
    processes: tuple[Process, ...], used: int, total: int, width: int
) -> None:
    """Whatever the processes claim: exactly `width` cells, filled where the plain bar is filled."""
    gpu = Gpu(0, processes=processes, vram_used_bytes=used, vram_total_bytes=total)
    line = vram_split.split(gpu, KNOWN, width)
    if line is not None:
        check([line], width, 1)
        empty = sum(len(text) for text, style in line if style == "track")
        plain = vram_split.bar(used / total, width)
        assert empty == len(plain) - len(plain.rstrip(" "))


def cells(line: list[tuple[str, str]]) -> list[str]:
    """The style of each cell, whatever stands in it."""
    return [style.partition(".")[2] for text, style in line for _ in text]


FULL = Gpu(0, vram_used_bytes=100 * GIB, vram_total_bytes=100 * GIB,
           processes=(Process(1, "vllm", None, 100 * GIB, "a"),))  # fmt: skip


def split_of(gpu: Gpu, **engine: Any) -> list[str]:
    """The cells of a bar 40 wide whose GPU one engine holds."""
    line = vram_split.split(gpu, {"a": Engine("a", "vllm", model="qwen", **engine)}, 40)
    assert line is not None
    assert "qwen" in said([line])
    return cells(line)


def test_weights_stand_before_the_kv_cache_in_use_and_free() -> None:
    """60 of 100 GiB are the KV cache, half of it in use: 16 cells of weights, 12 lit, 12 not."""
    drawn = split_of(FULL, kv_cache=0.5, kv_gpu_bytes=60 * GIB)
    assert drawn == ["held"] * 16 + ["used"] * 12 + ["reserved"] * 12


def test_a_kv_cache_of_unknown_size_is_not_told_from_the_weights() -> None:
    """How full it is says nothing of how much of the memory it is: one shade for all of it."""
    assert split_of(FULL, kv_cache=0.5) == ["held"] * 40


@pytest.mark.parametrize("gib", [0, 100, 400])
def test_a_kv_cache_that_cannot_be_here_is_not_drawn(gib: int) -> None:
    """No larger than what the engine holds on this GPU, weights included."""
    assert split_of(FULL, kv_cache=0.5, kv_gpu_bytes=gib * GIB) == ["held"] * 40


def test_how_much_of_the_kv_cache_is_in_use_may_be_unknown() -> None:
    """Then all of it is reserved and none is said to be in use."""
    assert split_of(FULL, kv_gpu_bytes=50 * GIB) == ["held"] * 20 + ["reserved"] * 20


def test_a_kv_cache_shows_a_cell_of_use_and_one_of_room_as_long_as_there_is_any() -> None:
    """1 % in use is not nothing, and 99 % is not full."""
    assert split_of(FULL, kv_cache=0.01, kv_gpu_bytes=50 * GIB).count("used") == 1
    assert split_of(FULL, kv_cache=0.99, kv_gpu_bytes=50 * GIB).count("reserved") == 1
    assert split_of(FULL, kv_cache=1.0, kv_gpu_bytes=50 * GIB).count("used") == 20


def test_an_engine_that_hides_its_kv_cache_is_not_drawn_as_full() -> None:
    """No KV figure: the part is held, nothing is said to be in use."""
    gpu = Gpu(0, vram_used_bytes=50 * GIB, vram_total_bytes=100 * GIB,
              processes=(Process(1, "llama-server", None, 50 * GIB, "a"),))  # fmt: skip
    line = vram_split.split(gpu, {"a": Engine("a", "llamacpp", model="phi")}, 40)
    assert line is not None
    assert set(cells(line)) == {"held", ""} | ({"track"} & set(cells(line)))


def test_parts_keep_their_order_whatever_their_sizes() -> None:
    """Engines first, then by pid: a process that grows past another does not change places."""
    small, large = Process(5, "a", None, GIB), Process(9, "b", None, 2 * GIB)
    one = vram_split.parts(Gpu(0, processes=(large, small)), {})
    other = vram_split.parts(Gpu(0, processes=(small._replace(vram_bytes=9 * GIB), large)), {})
    assert [p.name for p in one] == [p.name for p in other] == ["a", "b"]


def test_workers_of_one_engine_are_one_part() -> None:
    """Two processes of an engine on a GPU are one segment with both sizes."""
    two = tuple(Process(pid, "w", None, 10 * GIB, boxes.QWEN.id) for pid in (1, 2))
    (part,) = vram_split.parts(Gpu(0, processes=two), KNOWN)
    assert part.size == 20 * GIB


def test_without_engines_a_lone_process_leaves_the_bar_as_it_was() -> None:
    """Nothing is to be told apart: the plain bar stands."""
    gpu = Gpu(0, vram_used_bytes=50, vram_total_bytes=100, processes=(Process(1, "x", None, 50),))
    assert vram_split.split(gpu, {}, 40) is None


def test_the_legend_is_there_where_there_is_room() -> None:
    """The shades are explained in words under the pool, on wide screens only."""
    assert "KV cache in use" in said(gpus.lines(boxes.engines(), 90, 9, LOOK))
    assert "KV cache in use" not in said(gpus.lines(boxes.engines(), 50, 9, LOOK))


@given(st.lists(shared, min_size=1, max_size=12), st.integers(1, 200))
@settings(max_examples=25)
def test_sections_fill_the_bar_exactly(some_engines: list[Engine], width: int) -> None:
    """Sections and the gaps between them take the whole width, none under the least."""
    found = sections.sections(some_engines, width)
    if found:
        assert sum(s.width for s in found) + len(found) - 1 == width
        assert min(s.width for s in found) >= sections.NARROWEST
        assert span_width(sections.names(found)) == span_width(sections.figures(found)) == width


def test_sections_do_not_move_with_the_load() -> None:
    """The shares follow capacities alone."""
    calm = [row(boxes.QWEN), row(boxes.GEMMA)]
    busy = [e._replace(active=1, queued=400) for e in calm]
    assert [s.width for s in sections.sections(calm, 90)] == [
        s.width for s in sections.sections(busy, 90)
    ]


def test_estimates_unknowns_and_queues_are_told_apart() -> None:
    """≈ on an estimated capacity, `of —` on an unknown one, what waits beyond in its own colour."""
    drawn = slots.lines(boxes.priced(), 110, 7, LOOK)
    text = said(drawn)
    for words in ("16/≈16 +23", "1 of —", "26/48", "of ≈64 slots", "23 queued (+23 beyond)"):
        assert words in text
    assert "fill.beyond" in styles(drawn)


def test_a_routers_requests_are_not_seated_twice() -> None:
    """A router stands for itself only where no engine is known."""
    proxy = Engine("p", "litellm", active=9, max_slots=10, router=True, state="online")
    snap = boxes.engines()
    assert sections.counted_engines(snap._replace(engines=(*snap.engines, proxy))) == list(
        snap.engines
    )
    assert sections.counted_engines(snap._replace(engines=(proxy,))) == [proxy]


def test_silent_burn_is_marked_above_the_users_threshold() -> None:
    """0.34 is marked at a threshold of 0.2, not at 0.5; the mark is not colour alone."""
    loud = tokens.lines(boxes.priced(), 116, 6, LOOK)
    assert "▲ ≈34%" in said(loud)
    assert "warn" in styles(loud)
    quiet = tokens.lines(boxes.priced(), 116, 6, LOOK._replace(burn_at=0.5))
    assert "▲" not in said(quiet)


def test_costs_are_dashes_until_a_price_is_set() -> None:
    """No price: no dollar sign in any face; what is measured is said."""
    for width, height in ((116, 6), (78, 5), (78, 2), (60, 1), (40, 12)):
        assert "$" not in said(tokens.lines(boxes.engines(), width, height, LOOK))
    assert "0.76 kWh" in said(tokens.lines(boxes.engines(), 116, 6, LOOK))
    assert "$" not in said([tokens.summary(boxes.engines(), LOOK)])


def test_the_tokens_panel_has_three_faces() -> None:
    """Fresh in colour, stale dimmed with its age, absent one sentence, all of one size."""
    old = boxes.engines()._replace(llm=boxes.stale_engines().llm)
    assert styles(tokens.lines(old, 100, 6, LOOK)) == {"stale"}
    assert said([tokens.summary(old, LOOK)]) == "stale · 47s"
    blank = boxes.engines()._replace(throughput=Throughput(), cost=Cost())
    assert "No engine has reported tokens yet." in said(tokens.lines(blank, 100, 6, LOOK))
    down = blank._replace(engines=tuple(e._replace(state="offline") for e in blank.engines))
    assert "No engine reports tokens now." in said(tokens.lines(down, 100, 6, LOOK))
    for snap in (old, blank, down, boxes.priced()):
        check(tokens.lines(snap, 100, 6, LOOK), 100, 6)


@pytest.mark.parametrize("build", [boxes.engines, boxes.fleet, boxes.troubled_engines])
def test_engines_stand_where_the_seven_would(build: object) -> None:
    """No stack: the strip names engines or counts them, the header counts engines."""
    snap: Snapshot = build()  # type: ignore[operator]
    text = said(services.lines(snap, 116, 2, LOOK))
    assert "genesis" not in text
    assert "online" in text or "qwen3.6" in text
    panels = {p.panel for p in dashboard(120, 40, layout_inputs(snap, LOOK))}
    assert "tokens" in panels
    assert not panels & {"multiplier", "capacity", "cloud", "economy", "metrics"}


def test_with_a_stack_both_are_shown() -> None:
    """The seven keep their panels, the engines join the strip and bring their tokens."""
    snap = boxes.both()
    panels = {p.panel for p in dashboard(120, 40, layout_inputs(snap, LOOK))}
    assert {"multiplier", "capacity", "tokens"} <= panels
    text = said(services.lines(snap, 160, 2, LOOK))
    assert "genesis" in text
    assert "gemma4-12b" in text


def test_a_service_that_is_neither_set_up_nor_ever_answered_is_no_stack() -> None:
    """Default addresses where nothing ever listened leave the screen to the engines."""
    snap = boxes.engines()
    names = {p.panel for p in dashboard(120, 40, layout_inputs(snap, LOOK))}
    assert not names & {"multiplier", "capacity", "economy", "metrics", "cloud"}
    assert "genesis" not in said(services.lines(snap, 160, 2, LOOK))
    once = tuple(s._replace(member=s.name == "genesis") for s in snap.services)
    with_one = snap._replace(services=once)
    names = {p.panel for p in dashboard(120, 40, layout_inputs(with_one, LOOK))}
    assert {"multiplier", "capacity", "economy", "metrics", "cloud"} <= names


@pytest.mark.parametrize("snapshot", [boxes.both(), boxes.priced(), boxes.engines()])
def test_badge_headline_and_frame_have_one_colour(snapshot: Snapshot) -> None:
    """That of the tier: a HIGH badge never stands in a green frame."""
    tier = snapshot.demand.tier
    assert banner.border(snapshot) == f"tier.{tier}"
    for width, height in ((78, 2), (116, 3)):
        found = styles(banner.lines(snapshot, width, height, LOOK))
        assert {f"tier.{tier}", f"badge.{tier}"} <= found
        assert not [style for style in found if style.startswith("mode.")]


@pytest.mark.parametrize("mode", ["pressure", "saturated"])
def test_a_mode_that_services_report_colours_the_banner(mode: str) -> None:
    """Title and frame in the mode's colour where it is worse than the tier's, the badge stays."""
    snap = boxes.both()
    snap = snap._replace(demand=snap.demand._replace(mode=mode, tier="moderate"))  # type: ignore[arg-type]
    assert banner.border(snap) == f"mode.{mode}"
    for width, height in ((78, 2), (116, 3)):
        found = styles(banner.lines(snap, width, height, LOOK))
        assert {f"mode.{mode}", "badge.moderate"} <= found


@pytest.mark.parametrize("sort", ENGINE_SORTS)
def test_every_order_is_total_and_puts_the_unknown_last(sort: str) -> None:
    """The order depends on the engines alone, not on how they came; figures largest first."""
    snap = boxes.troubled_engines()
    one = [r.engine.id for r in listed(snap.engines, sort) if r.engine]
    other = [r.engine.id for r in listed(snap.engines[::-1], sort) if r.engine]
    assert one == other
    if sort == "tok/s":
        assert one[0] == boxes.QWEN.id  # the only one that serves


def test_groups_are_kept_together_under_their_sums() -> None:
    """Each group's heading comes before its engines, with what they do together."""
    rows = listed(boxes.fleet().engines, "queue")
    headings = [r.group for r in rows if r.engine is None]
    assert headings == ["cluster-a", "cluster-b", "cluster-c", "no group"]
    at = [i for i, r in enumerate(rows) if r.engine is None]
    names = {r.engine.group for r in rows[at[0] : at[1]] if r.engine}
    assert names == {"cluster-a"}
    assert "active" in said(engines.lines(boxes.fleet(), 116, 30, LOOK))


@given(st.integers(0, 80), st.integers(1, 40), st.integers(-9, 99), st.integers(0, 79))
def test_the_cursors_row_is_always_seen(count: int, room: int, offset: int, at: int) -> None:
    """Wherever the window was: it holds the cursor and never runs past the end."""
    at = min(at, max(0, count - 1))
    start = start_at(count, room, offset, at)
    assert 0 <= start <= max(0, count - room, at)
    assert start <= at < start + room


def test_the_cursor_skips_headings_and_stops_at_the_ends() -> None:
    """Down from a group's last engine comes the next group's first one."""
    rows = listed(boxes.fleet(6).engines)
    ids = [r.engine.id for r in rows if r.engine]
    assert moved(rows, ids[1], 1) == ids[2]
    assert moved(rows, ids[-1], 5) == ids[-1]
    assert moved(rows, "gone", 0) == ids[0]
    assert rows[place_of(rows, "gone")].engine is not None
    assert moved([], None, 1) is None


@given(some.engines, some.widths, some.heights, some.looks)
@settings(max_examples=40)
def test_one_engine_in_full_is_exact(
    one: Engine, width: int, height: int, options: DrawOptions
) -> None:
    """Whatever an engine says of itself: exactly the page, nothing that steers."""
    trends = Trends((1.0, None, float(width)) * 70, (None,) * 210, (0.5,) * 210, 800.0)
    check(engine.lines(one, trends, width, height, options), width, height)


@given(some.snapshots, some.widths, some.heights, some.looks)
@settings(max_examples=25)
def test_the_costs_page_is_exact(
    snap: Snapshot, width: int, height: int, options: DrawOptions
) -> None:
    """Whatever the explanations hold."""
    check(costs.lines(snap, width, height, options), width, height)


def test_every_figure_of_the_costs_names_its_inputs() -> None:
    """Each explained figure and each of its inputs stands on the page with who said so."""
    text = said(costs.page(boxes.priced(), 100))
    for explained in boxes.priced().cost.explained:
        for line in explained.inputs:
            assert line.label in text
            assert line.source in text


def test_an_engines_page_says_everything_that_is_known() -> None:
    """URL, version, slots source, finish reasons, advice, spend and what a router is."""
    snap = boxes.troubled_engines()
    advised = boxes.box(boxes.GEMMA._replace(advice="Start it again."), boxes.LLAMA).snapshot()
    text = said(engine.page(advised.engines[0], Trends(), 100, LOOK))
    for words in ("http://127.0.0.1:30000", "sglang 0.5.4", "estimated", "Start it again.",
                  "1.3k", "341 ms/1.2 s", "122 GiB", "5151"):  # fmt: skip
        assert words in text
    proxy = next(e for e in snap.engines if e.router)
    text = said(engine.page(proxy, Trends(), 100, LOOK))
    for words in ("is not added to theirs", "http://127.0.0.1:8000", "search / key-a", "$12.50"):
        assert words in text
