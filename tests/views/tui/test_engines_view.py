"""The engines' table, one engine in full, and the costs: every key, seen on the screen."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.views.tui.conftest import frozen
from tests.views.tui.pilot import AppPilot, app_of, picture, pressed
from tokentop.config.reload import reloader
from tokentop.domain.engines.history import MOST, EngineHistory
from tokentop.domain.engines.readings import Counters, EngineReading
from tokentop.domain.policy import CostPolicy
from tokentop.domain.snapshot_engines import Engine
from tokentop.runtime.live.reload import ConfigReloader
from tokentop.runtime.live.session import Session
from tokentop.transport.discovery.findings import Found
from tokentop.views.tui.app import TokentopApp

AT = 100.0
LARGE, SMALL = (120, 40), (80, 24)
VLLM, SGLANG, LLAMA = "vllm@127.0.0.1:8000", "sglang@127.0.0.1:30000", "llamacpp@127.0.0.1:8080"
PIDS = tuple(41200 + 7 * i for i in range(4))  # the demo's processes on GPUs 0-3


def reading(kind: str, model: str, at: float, **fields: Any) -> EngineReading:
    """One good poll `at` seconds in: 300 tokens a second, one request in five cut short."""
    counters = Counters(2100.0 * at, 300.0 * at, 5.0 * at, 3.0, 0.0, 900 * at, 600 * at,
                        4.0 * at, at, 0.0, 0.0)  # fmt: skip
    usual = EngineReading(kind, "1.2", model, (model,), counters=counters)  # type: ignore[arg-type]
    return usual._replace(**fields)


def box(count: int = 3, **cost: Any) -> TokentopApp:
    """An app on the frozen demo's GPUs with `count` engines that answered thrice, and no stack."""
    config = frozen(AT)
    config = config._replace(
        services=tuple(s._replace(enabled=False) for s in config.services),
    )
    app = TokentopApp(config)
    priced = config._replace(policy=config.policy._replace(cost=CostPolicy(**cost)))
    app.session.collector.apply_policy(priced)  # measured from here on
    desk = app.session.collector.engines()
    desk.update_from_discovery(tuple(found() if count == 3 else fleet(count)), now=0.0)
    for at in (AT - 8, AT - 4, AT):
        for place, identity in enumerate(desk.ids()):
            desk.record(identity, answer(identity, place, at), at, 0.004)
        app.session.engine_history.add(at, app.session.collector.snapshot(at, at).engines)
    return app


def found() -> Iterator[Found]:
    yield Found("vllm", "http://127.0.0.1:8000", PIDS)
    yield Found("sglang", "http://127.0.0.1:30000", (41228,))
    yield Found("llamacpp", "http://127.0.0.1:8080", (41235,))


def fleet(count: int) -> Iterator[Found]:
    for port in range(9000, 9000 + count):
        yield Found("vllm", f"http://127.0.0.1:{port}")


def answer(identity: str, place: int, at: float) -> EngineReading:
    if identity == SGLANG:
        return reading("sglang", "gemma4-12b", at, active=16, queued=9, max_slots=16,
                       slots_source="derived", kv_cache=0.9)  # fmt: skip
    if identity == LLAMA:
        return EngineReading("llamacpp", "b7100", "phi-5", ("phi-5",), active=1, queued=0)
    model = "qwen3.6-27b" if identity == VLLM else f"model-{place:02}"
    return reading("vllm", model, at, active=place % 40 or 26, queued=0, max_slots=48,
                   slots_source="reported", kv_cache=0.61)  # fmt: skip


@pytest.fixture
async def at_box():  # type: ignore[no-untyped-def]
    """A running box at 120 x 40."""
    async with box().run_test(size=LARGE) as pilot:
        await refreshed(pilot)
        yield pilot


async def refreshed(pilot: AppPilot) -> str:
    """The picture after everything that was recorded is shown."""
    app = pilot.app
    assert isinstance(app, TokentopApp)
    app.snapshot_ready(app.session.snapshot(), app.session.now())
    await pilot.pause()
    return picture(app_of(pilot))


async def test_a_box_with_engines_and_no_stack_is_complete(at_box: AppPilot) -> None:
    """Engines stand where the seven services would; nothing of the stack's prices is shown."""
    text = picture(app_of(at_box))
    for words in ("3/3 engines", "26/48", "16/≈16 +9", "1 of —", "tokens", "first token"):
        assert words in text
    for words in ("genesis", "multiplier", "cloud", "Everything is Free", "×"):
        assert words not in text


async def test_the_vram_bars_name_their_engines(at_box: AppPilot) -> None:
    """The first four GPUs are the vLLM workers', the fifth is SGLang's."""
    rows = [r for r in picture(app_of(at_box)).split("\n") if "H200" in r or "4090" in r]  # type: ignore[arg-type]
    assert all("qwen3.6-27b" in row for row in rows[:4])
    assert "gemma4-12b" in rows[4]


async def test_the_table_has_a_row_per_engine(at_box: AppPilot) -> None:
    """Model, kind, slots, queue, KV, tokens a second and state, a row each."""
    text = await pressed(at_box, "e")
    assert await pressed(at_box, "1", "4") == text
    (row,) = (line for line in text.split("\n") if "gemma4-12b" in line)
    for words in ("sglang", "16/≈16", "9", "90%", "300", "online"):
        assert words in row


async def test_the_cursor_moves_and_enter_opens(at_box: AppPilot) -> None:
    """j and k move the mark by engines, enter shows one in full, esc comes back to the same row."""
    first = await pressed(at_box, "e")
    assert marked(first) == "gemma4-12b"
    assert marked(await pressed(at_box, "j")) == "phi-5"
    assert marked(await pressed(at_box, "down", "down", "down")) == "qwen3.6-27b"
    assert marked(await pressed(at_box, "k")) == "phi-5"
    page = await pressed(at_box, "G", "enter")
    for words in ("http://127.0.0.1:8000", "vllm 1.2", "reported by the server", "history",
                  "requests ended", "tokens/s", "41200, 41207"):  # fmt: skip
        assert words in page
    assert marked(await pressed(at_box, "escape")) == "qwen3.6-27b"


def marked(text: str) -> str:
    (row,) = (line for line in text.split("\n") if "▸" in line)
    return row.partition("▸")[2].split()[0]


async def test_the_cursor_stays_on_its_engine_when_the_order_changes(at_box: AppPilot) -> None:
    """s sorts by the next column, which the title names; the cursor stays on its engine."""
    await pressed(at_box, "e", "j")
    text = await pressed(at_box, "s", "s", "s")
    assert "by queue" in text
    assert marked(text) == "phi-5"
    names = [n for n in ("gemma4-12b", "qwen3.6-27b") if n in text]
    assert sorted(names, key=text.index)[0] == "gemma4-12b", "the longest queue comes first"


async def test_the_filter_is_the_tables_own(at_box: AppPilot) -> None:
    """/ narrows the engines, esc clears it, and the GPUs are not filtered by it."""
    text = await pressed(at_box, "e", "slash", *"sglang", "enter")
    assert "gemma4-12b" in text
    assert "phi-5" not in text
    assert "phi-5" in await pressed(at_box, "escape")
    await pressed(at_box, "slash", *"sglang", "enter")
    assert "H200" in await pressed(at_box, "2")
    assert "No engine matches" in await pressed(at_box, "e", "slash", *"zzz", "enter")


async def test_a_click_opens_an_engine(at_box: AppPilot) -> None:
    """A click on a row of the table is enter on that row."""
    text = await pressed(at_box, "e")
    row = next(y for y, line in enumerate(text.split("\n")) if "qwen3.6-27b" in line)
    await at_box.click(offset=(10, row))
    assert "reported by the server" in await pressed(at_box)


async def test_the_costs_are_explained() -> None:
    """$ lists every figure with what it was computed from; esc goes back where one was."""
    async with box(usd_per_gpu_hour=2.5).run_test(size=LARGE) as pilot:
        await refreshed(pilot)
        await pressed(pilot, "e")
        for key in ("dollar_sign", "u"):
            text = await pressed(pilot, key)
            for words in ("USD per GPU-hour", "2.5", "configured", "all time measured, s"):
                assert words in text
            assert "TTFT p95" in await pressed(pilot, "escape")


async def test_a_changed_threshold_marks_the_burn_at_the_next_poll(tmp_path: Path) -> None:
    """One request in five was cut short: a mark above 0.1, none above the default of 0.2."""
    file = tmp_path / "config.toml"
    file.write_text("[cost]\nburn_counts_length = true\n")
    app = box(burn_counts_length=True)
    watched = reloader({"demo.enabled": True, "demo.at_s": AT}, {}, str(file))
    watcher = ConfigReloader(watched, app.session.collector, app._notify)
    async with app.run_test(size=LARGE) as pilot:
        assert burn(await refreshed(pilot)) == "≈20%"
        file.write_text("[cost]\nburn_counts_length = true\nsilent_burn_at = 0.1\n")
        watcher.look(watcher.take)
        assert burn(await refreshed(pilot)) == "▲ ≈20%"


def burn(text: str) -> str:
    """The figure of silent burn, with its mark."""
    (figure,) = re.findall(r"silent burn +((?:▲ )?\S+)", text)
    return str(figure)


async def test_without_a_price_none_is_invented(at_box: AppPilot) -> None:
    """Nothing configured: no dollar anywhere, and how to configure it."""
    assert "$0" not in picture(app_of(at_box))
    assert "usd_per_gpu_hour" in await pressed(at_box, "dollar_sign")


async def test_64_engines_scroll_by_row_page_and_end() -> None:
    """Only what is seen is drawn; the cursor is always among it."""
    async with box(64).run_test(size=SMALL) as pilot:
        await refreshed(pilot)
        top = await pressed(pilot, "e")
        assert "of 64" in top
        assert marked(top) == "model-00"
        assert marked(await pressed(pilot, "pagedown", "pagedown")) > "model-20"
        end = await pressed(pilot, "end")
        assert marked(end) == "model-63"
        assert await pressed(pilot, "j") == end
        assert await pressed(pilot, "home") == top


async def test_the_new_views_fit_every_size() -> None:
    """Table, page and costs at any size, each redrawn whole by a resize."""
    async with box(usd_per_gpu_hour=2.5).run_test(size=(100, 30)) as pilot:
        await refreshed(pilot)
        for keys in (("e",), ("e", "enter"), ("dollar_sign",)):
            await pilot.press(*keys)
            for size in ((1, 1), (60, 20), (10, 3), (200, 60), (40, 12)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
                rows = picture(app_of(pilot)).split("\n")  # type: ignore[arg-type]
                assert (len(rows[0]), len(rows)) == size


@pytest.mark.parametrize("size", [LARGE, SMALL])
@pytest.mark.parametrize("keys", [(), ("e",), ("e", "enter"), ("dollar_sign",)])
def test_the_colours(
    snap_compare: Callable[..., bool], keys: tuple[str, ...], size: tuple[int, int]
) -> None:
    """Dashboard, table, page and costs of a box with engines are as they were looked at."""

    async def before(pilot: AppPilot) -> None:
        await refreshed(pilot)
        await pilot.press(*keys)
        await pilot.pause()

    app = box(usd_per_gpu_hour=2.5, reference_name="an API", reference_usd_per_mtok=2.0)
    assert snap_compare(app, terminal_size=size, run_before=before)


def test_the_history_keeps_gaps_and_forgets_who_is_gone() -> None:
    """A round without an engine is a gap; half an hour after its last word it is forgotten."""
    history = EngineHistory()
    one = Engine("a", "vllm", generation_tokens_per_s=5.0, queued=1, kv_cache=0.5, state="online")
    history.add(0.0, [one])
    history.add(4.0, [])
    history.add(8.0, [one._replace(state="stale")])
    history.add(8.0, [one._replace(generation_tokens_per_s=7.0)])
    kept = history.trends("a")
    assert kept.tokens_per_s == (5.0, None, 7.0)
    assert kept.span_s == 8.0
    for i in range(MOST):
        history.add(12.0 + 4 * i, [])
    assert history.trends("a").tokens_per_s == ()


async def test_a_search_without_room_for_all_candidates_says_so(
    at_box: AppPilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the engines that it found."""
    assert "of 203" not in await pressed(at_box, "e")
    monkeypatch.setattr(Session, "searched", (64, 203))
    assert "tok/s · tried 64 of 203 ─╮" in await pressed(at_box, "j")
