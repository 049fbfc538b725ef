"""The keys of budgets and ledger over a real ledger file: opening, filtering, deciding."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests import ledger_examples
from tests.domain.ledger.examples import NOW_US, event
from tests.views.tui.pilot import AppPilot, app_of, click, picture, pressed
from tokentop.config.load import load
from tokentop.config.schema import LedgerConfig
from tokentop.domain.snapshot import Snapshot
from tokentop.runtime.ledger.place import opened, path, writer
from tokentop.views.tui.app import TokentopApp

PATIENCE_S = 10.0


@pytest.fixture(autouse=True)
def ledger_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the ledger is that no configuration names: it is read, and not followed."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return Path(path(LedgerConfig(), os.environ))


@pytest.fixture
def booked(ledger_path: Path) -> None:
    """450 requests: ada's for alpha and, every third, bob's for beta; the newest is number 449."""
    db = opened(LedgerConfig(), os.environ, create=True)
    others = {"user": "bob", "project": "beta", "model": "qwen3.6-27b", "estimated": True}
    events = (event(n, **(others if n % 3 == 0 else {}), prompt=1000 + n) for n in range(450))
    writer(db, LedgerConfig()).append(events, NOW_US)
    db.close()


@asynccontextmanager
async def shown(snapshot: Snapshot, size: tuple[int, int] = (120, 40)) -> AsyncIterator[AppPilot]:
    """An app that polls nothing, with a snapshot as if a poll had brought it."""
    config = load({}, {}, None)
    discovery = config.discovery._replace(enabled=False)
    config = config._replace(services=(), gpus=False, discovery=discovery)
    async with TokentopApp(config).run_test(size=size) as pilot:
        app = app_of(pilot)
        app.snapshot_ready(snapshot, app.session.now())
        await pilot.pause()
        yield pilot


async def until(pilot: AppPilot, found: Callable[[str], bool]) -> str:
    """The picture once it is as wanted; what the ledger's thread has read comes by itself."""
    async with asyncio.timeout(PATIENCE_S):
        while not found(picture(app_of(pilot))):
            await pilot.pause(0.01)
    return picture(app_of(pilot))


def under_cursor(text: str) -> str:
    return next(line for line in text.splitlines() if "▸" in line)


async def test_budgets_are_sorted_filtered_and_opened_by_keys(booked: None) -> None:
    """The tightest clock is first; s sorts by the next column, R reverses, / keeps what matches."""
    async with shown(ledger_examples.ledger()) as pilot:
        first = await pressed(pilot, "b")
        assert "batch" in under_cursor(first)
        assert "▴to zero" in first
        assert "budgets · by name" in await pressed(pilot, "s")
        assert "agents" in under_cursor(await pressed(pilot, "home"))
        assert "support" in under_cursor(await pressed(pilot, "R", "home"))
        filtered = await pressed(pilot, "slash", *"sup", "enter")
        assert "support" in filtered
        assert "research" not in filtered
        page = await until(pilot, lambda _: True)
        page = await pressed(pilot, "enter")
        assert "project support" in page
        assert "support of the day" in page
        assert "budgets · by name · /sup" in await pressed(pilot, "escape")


async def test_a_heading_sorts_and_a_row_opens_by_the_mouse(booked: None) -> None:
    async with shown(ledger_examples.ledger()) as pilot:
        lines = (await pressed(pilot, "b")).splitlines()
        row = next(y for y, line in enumerate(lines) if "to zero" in line)
        await click(pilot, lines[row].index("velocity") if "velocity" in lines[row] else
                    lines[row].index("$/cr"), row)  # fmt: skip
        text = picture(app_of(pilot))
        assert "by velocity" in text
        assert "▾$/cr" in text
        row = next(y for y, line in enumerate(text.splitlines()) if "agents" in line)
        await click(pilot, 10, row)
        assert "project agents" in picture(app_of(pilot))


async def test_a_project_shows_who_and_what_spends(booked: None) -> None:
    """From its own entries alone: by user, model and task, and the last of them."""
    figures = ledger_examples.FIGURES._replace(
        budgets=(), projects=(ledger_examples.PROJECTS[0]._replace(name="beta"),), flags=()
    )
    async with shown(ledger_examples.ledger()._replace(ledger=figures)) as pilot:
        await pressed(pilot, "b", "enter")
        text = await until(pilot, lambda t: "by model" in t)
        assert "150 entries" in text
        assert "bob" in text
        assert "ada" not in text
        assert "qwen3.6-27b" in text
        assert "≈1.4k" in text  # a guess of the feed


async def test_the_ledger_is_read_page_by_page(booked: None) -> None:
    """The newest first, with the position; at the end of what was read older ones follow."""
    async with shown(ledger_examples.ledger()) as pilot:
        await pressed(pilot, "l")
        text = await until(pilot, lambda t: "of 450" in t)
        assert "1–30 of 450" in text
        assert "beta" in text
        await pressed(pilot, "end")
        await until(pilot, lambda t: "171–200 of 450" in t)
        async with asyncio.timeout(PATIENCE_S):
            while "421–450 of 450" not in await pressed(pilot, "end"):
                await pilot.pause(0.01)
        assert "1–30 of 450" in await pressed(pilot, "home")


async def test_the_ledger_is_filtered_by_words_and_fields(booked: None) -> None:
    async with shown(ledger_examples.ledger()) as pilot:
        await pressed(pilot, "l", "slash", *"BOB qwen", "enter")
        text = await until(pilot, lambda t: "of 150" in t)
        assert "ledger · /BOB qwen" in text
        assert "alpha" not in text
        await pressed(pilot, "escape", "slash", *"project:alph", "enter")
        assert "No entry matches “project:alph”." in await until(pilot, lambda t: "No entry" in t)


async def test_an_entry_opens_with_what_its_credits_come_from(booked: None) -> None:
    """The second newest is ada's of gpt-4o: 1,448 + 50 tokens at the published prices."""
    async with shown(ledger_examples.ledger()) as pilot:
        await pressed(pilot, "l")
        await until(pilot, lambda t: "of 450" in t)
        text = await pressed(pilot, "j", "enter")
        assert "test:448" in text
        assert "credits per million prompt tokens" in text
        assert "0.16 credits" in text  # (1448 x 100 + 50 x 300) / 1M, to three decimals
        assert "GPT-4o" in text
        assert "▸" in await pressed(pilot, "escape")


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "there is no ledger"), (b"something else" * 99, "no SQLite database")],
)
async def test_what_cannot_be_read_is_a_sentence(
    ledger_path: Path, content: bytes, words: str
) -> None:
    """No ledger, and a file that is none of ours."""
    if content:
        await asyncio.to_thread(ledger_path.write_bytes, content)
    async with shown(ledger_examples.ledger(), (200, 60)) as pilot:
        await pressed(pilot, "l")
        assert words in await until(pilot, lambda t: "cannot be shown" in t)


async def test_x_names_the_project_and_any_other_key_than_y_leaves_it(
    booked: None,
) -> None:
    async with shown(ledger_examples.ledger()) as pilot:
        asked = await pressed(pilot, "b", "j", "x")
        assert "Stop this project?" in asked
        assert "agents" in asked
        assert "Stop this project?" not in await pressed(pilot, "n")
        assert "Resume this project?" in await pressed(pilot, "k", "x")
        assert "its budget of the week is spent" in picture(app_of(pilot))
        told = await pressed(pilot, "escape", "end", "k", "x")
        assert "this is none" in told  # a user's budget


async def test_f_asks_what_a_flag_was(booked: None) -> None:
    """The running task first, with its cost and its precedent."""
    async with shown(ledger_examples.ledger()) as pilot:
        assert "f classifies a flag" in await pressed(pilot, "f")
        asked = await pressed(pilot, "b", "j", "f")
        assert "What was this?" in asked
        assert "refactor-billing" in asked
        assert "6.3 times" in asked
        assert "The one before was defer." in asked
        assert "What was this?" not in await pressed(pilot, "escape")


async def test_b_without_a_ledger_says_how_to_begin_one(booked: None) -> None:
    async with shown(Snapshot()) as pilot:
        text = await pressed(pilot, "b")
        assert "No ledger is followed here." in text
        assert "[[budget]]" in text
