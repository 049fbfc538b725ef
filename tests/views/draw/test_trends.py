"""Trends where the eye is: sparklines in the panels, the history's charts, its cursor."""

import pytest

from tests import engine_examples, examples
from tests.serving import NOW
from tests.views.draw.composed import composed, model, text
from tokentop.domain.engines.history import EngineHistory
from tokentop.domain.history import Sample
from tokentop.domain.snapshot import Snapshot
from tokentop.views.tui.draw.kit.line import DrawOptions
from tokentop.views.tui.draw.kit.trend import KV, trend_line
from tokentop.views.tui.screen_model import placements
from tokentop.views.tui.state import ViewState

LEVELS = "▁▂▃▄▅▆▇"
BLANK = " "


def rising(count: int = 150, *silent: int) -> tuple[Sample, ...]:
    """Ten minutes of 4 s polls, tokens/s from 0 to 1,490; those of `silent` brought nothing."""
    return tuple(
        Sample(t) if i in silent
        else Sample(t, 0.5, 2.0, queued=float(i % 9), tokens_per_s=10.0 * i,
                    ttft_p95_s=0.2 + i / 1000, kv_cache=i / 200)
        for i, t in ((i, NOW - 4.0 * (count - 1 - i)) for i in range(count))
    )  # fmt: skip


def screen(snapshot: Snapshot, size: tuple[int, int], samples: tuple[Sample, ...]) -> list[str]:
    return text(composed(model(snapshot, history=samples), *size)).splitlines()


def trend(rows: list[str], label: str) -> str:
    """What stands right of a label in the row that has a sparkline behind it."""
    tails = (row.rpartition(f"{label} ")[2] for row in rows if f"{label} " in row)
    return next(tail for tail in tails if any(char in tail for char in LEVELS))


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 60)])
@pytest.mark.parametrize("build", [engine_examples.priced, engine_examples.both])
def test_the_tokens_panel_has_four_trends(build, size) -> None:  # type: ignore[no-untyped-def]
    """Each with its least and most; the title says how long they are."""
    rows = screen(build(), size, rising())
    assert any("tokens · last 10 min" in row for row in rows)
    for label, extent in (
        ("tok/s", "0–1490"), ("TTFT p95", "200–349 ms"), ("KV", "0–74%"), ("queue", "0–8"),
    ):  # fmt: skip
        assert extent in trend(rows, label)


def test_a_silence_is_a_gap_in_the_sparkline() -> None:
    """Two minutes of ten without an answer: a fifth of the cells blank, none of them at zero."""
    rows = screen(engine_examples.priced(), (200, 60), rising(150, *range(60, 90)))
    line = trend(rows, "tok/s").partition("0–")[0].strip()
    blank = line.count(BLANK)
    assert blank == pytest.approx(len(line) / 5, abs=1.5)
    assert line.strip(LEVELS).strip() == ""
    assert len(line.split()) == 2


def test_without_a_history_the_figures_are_there_and_no_line() -> None:
    """The first poll: panels stand where they will stand, the trends are dashes."""
    young = screen(engine_examples.priced(), (80, 24), ())
    assert any("─ tokens ─" in row for row in young)
    assert not any(char in "".join(young) for char in LEVELS)
    before = placements(model(engine_examples.priced(), history=()), 80, 24)
    assert before == placements(model(engine_examples.priced()), 80, 24)


def test_old_cells_of_a_sparkline_move_on_but_never_change() -> None:
    """Cells stand for fixed stretches of time: polls later the same levels stand further left."""
    drawn = []
    for t in (NOW - 100.0, NOW):
        samples = tuple(s for s in rising() if s.t <= t)
        options = DrawOptions(samples=samples, now=t)
        line = trend_line(KV, 60, options)
        drawn.append(next(words for words, style in line if style == "bar.line").strip())
    assert drawn[0][2:-2] in drawn[1]


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 60)])
@pytest.mark.parametrize("build", [examples.high, engine_examples.both])
def test_the_multiplier_is_said_once(build, size) -> None:  # type: ignore[no-untyped-def]
    """Its figure stands in the banner; the curve shows where it is, and how it went."""
    scene = model(build())
    factor = f"×{scene.snapshot.pricing.multiplier:.2f}"
    shown = text(composed(scene, *size))
    big = size[0] >= 100 and size[1] >= 36  # in digits three rows tall
    assert shown.count(factor) == (0 if big else 1)
    assert not big or "█▀▀" in shown


def test_each_engine_row_has_its_own_trend_where_it_is_wide() -> None:
    """One engine rises, one falls: their rows differ, and the heading gives the time."""
    snapshot, history = engine_examples.priced(), EngineHistory()
    first, second, *_ = snapshot.engines
    for i in range(450):
        pair = (first._replace(generation_tokens_per_s=float(i)),
                second._replace(generation_tokens_per_s=449.0 - i))  # fmt: skip
        history.add(NOW - 4.0 * (449 - i), pair)
    shown = text(composed(model(snapshot, trends=history.trends), 120, 40)).splitlines()
    assert any("last 30 min" in row for row in shown)
    lines = {
        engine.id: next(r for r in shown if f"● {engine.model}" in r) for engine in (first, second)
    }
    drawn = {k: [LEVELS.index(c) for c in row if c in LEVELS] for k, row in lines.items()}
    assert drawn[first.id] == sorted(drawn[first.id])
    assert drawn[second.id] == sorted(drawn[second.id], reverse=True)
    assert len(drawn[first.id]) == 12


def titles(snapshot: Snapshot, size: tuple[int, int], samples: tuple[Sample, ...]) -> list[str]:
    scene = model(snapshot, ViewState("history"), history=samples)
    return [p.panel.removeprefix("chart-") for p in placements(scene, *size)[1:-1]]


def test_the_history_shows_what_exists() -> None:
    """A box of engines without a price and without GPUs has neither USD/h nor power."""
    without = titles(engine_examples.engines(), (120, 40), rising())
    assert without == ["tokens", "ttft", "kv", "queue"]
    priced = tuple(s._replace(power_w=900.0, usd_per_hour=19.2) for s in rising())
    assert titles(engine_examples.priced(), (80, 24), priced) == [*without, "power", "usd"]
    both = titles(engine_examples.both(), (200, 60), priced)
    assert both[:3] == ["utilization", "multiplier", "queue"]
    assert {"tokens", "ttft", "kv", "power", "usd"} <= set(both)


def test_the_cursor_shows_the_figures_under_it() -> None:
    """100 s before the newest of rising values: 25 polls ago the rate was 250 lower."""
    view = ViewState("history", moment=NOW - 100.0)
    scene = model(engine_examples.priced(), view, history=rising())
    shown = text(composed(scene, 120, 40))
    assert "1:40 ago 1.2k" in shown
    assert "-1:40" in shown
    assert "now 1.5k" not in shown


def test_under_the_cursor_a_gap_is_unknown() -> None:
    """Where polls brought nothing the figure is a dash, not the nearest known one."""
    view = ViewState("history", moment=NOW - 100.0)
    scene = model(engine_examples.priced(), view, history=rising(150, *range(118, 130)))
    assert "1:40 ago —" in text(composed(scene, 120, 40))
