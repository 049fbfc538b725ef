"""The hosts' table over running services: rows, order, one host and back, a host that dies."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from itertools import takewhile
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests import examples
from tests.servers.service import PATIENCE_S, Service, service
from tokentop.config.load import load
from tokentop.config.reload import reloader
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.verdict.values import Alert
from tokentop.views.tui.app import TokentopApp

NOWHERE = "http://127.0.0.1:9"
STATES = ("idle", "high", "saturated")


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is renewed more often than for people."""
    monkeypatch.setattr("tokentop.runtime.live.fleet.EVERY_S", 0.2)


@pytest.fixture
def boxes() -> Iterator[list[Service]]:
    """Three hosts: idle, high and saturated."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(service(examples.STATES[state]()._replace(host=f"box-{state}")))
            for state in STATES
        ]


def text(app: TokentopApp) -> str:
    """What is on the screen."""
    return "\n".join(
        "".join(segment.text for segment in strip)
        for strip in app.screen._compositor.render_strips()
    )


async def until(pilot: Pilot[int], found: Callable[[str], bool]) -> str:
    async with asyncio.timeout(PATIENCE_S):
        while not found(text(pilot.app)):  # type: ignore[arg-type]
            await pilot.pause(0.05)
    return text(pilot.app)  # type: ignore[arg-type]


def rows(shown: str) -> list[str]:
    """The lines of hosts: those below the headings, up to the first empty one."""
    lines = shown.splitlines()
    head = next(at for at, line in enumerate(lines) if " age " in line)
    return list(takewhile(lambda line: line.strip(" │"), lines[head + 1 :]))


def named(shown: str) -> list[str]:
    """The hosts in the order of their rows."""
    return [state for row in rows(shown) for state in STATES if f"box-{state}" in row]


@asynccontextmanager
async def table(*urls: str, size: tuple[int, int] = (120, 30)) -> AsyncIterator[Pilot[int]]:
    app = TokentopApp(load({"connect": list(urls), "gpus": False}, {}, None))
    async with app.run_test(size=size) as pilot:
        yield pilot


async def test_a_row_for_each_host_and_the_totals_above(boxes: list[Service]) -> None:
    """Sorted and filtered by keys; one that is silent says why."""
    async with table(*(box.url for box in boxes), NOWHERE) as pilot:
        shown = await until(pilot, lambda t: "3/4 hosts" in t and "nothing listens" in t)
        assert len(rows(shown)) == 4
        await pilot.press("s")
        shown = await until(pilot, lambda t: "hosts · by tier" in t)
        words = ("idle", "high", "full")
        assert [word for row in rows(shown) for word in row.split() if word in words] == [
            "full", "high", "idle",
        ]  # fmt: skip
        await pilot.press("slash", *"full", "enter")
        shown = await until(pilot, lambda t: "/full" in t)
        assert len(rows(shown)) == 1
        await pilot.press("escape")
        assert len(rows(await until(pilot, lambda t: "/full" not in t))) == 4


async def test_headings_sort_and_hints_act(boxes: list[Service]) -> None:
    """By the column that is clicked, once more in reverse; the sorted one is marked."""
    async with table(*(box.url for box in boxes)) as pilot:
        shown = await until(pilot, lambda t: "3/3 hosts" in t)
        y = next(y for y, line in enumerate(shown.splitlines()) if " tier " in line)
        x = shown.splitlines()[y].index("load")
        assert "▴host" in shown
        await pilot.click(offset=(x, y))
        shown = await until(pilot, lambda t: "▾load" in t)
        assert named(shown) == ["saturated", "high", "idle"]
        await pilot.click(offset=(x, y))
        shown = await until(pilot, lambda t: "▴load" in t)
        assert named(shown) == ["idle", "high", "saturated"]
        await pilot.click(offset=(shown.splitlines()[-1].index("enter open"), 29))
        shown = await until(pilot, lambda t: "esc hosts" in t)
        await pilot.click(offset=(shown.splitlines()[-1].index("esc hosts"), 29))
        await until(pilot, lambda t: "3/3 hosts" in t)


async def test_enter_opens_a_host_and_escape_comes_back(boxes: list[Service]) -> None:
    """Its dashboard with all its views; the cursor is where it was."""
    async with table(*(box.url for box in boxes)) as pilot:
        await until(pilot, lambda t: "3/3 hosts" in t)
        await pilot.press("s", "enter")
        await until(pilot, lambda t: "box-saturated" in t and "esc hosts" in t)
        await pilot.press("2")
        await until(pilot, lambda t: "GPU pool" in t and "box-saturated" in t)
        await pilot.press("1")
        await pilot.pause()
        await asyncio.to_thread(
            boxes[2].publish, examples.STATES["low"]()._replace(host="box-changed")
        )
        await until(pilot, lambda t: "box-changed" in t)
        await pilot.press("escape")
        shown = await until(pilot, lambda t: "3/3 hosts" in t)
        assert "by tier" in shown
        await pilot.press("e")
        assert "enter opens a host" in await until(pilot, lambda t: "enter opens" in t)


async def test_alerts_of_every_host_ring(boxes: list[Service]) -> None:
    """From the table, and while another host is open, once each."""
    rung: list[str] = []
    async with table(*(box.url for box in boxes)) as pilot:
        session = pilot.app.session  # type: ignore[attr-defined]
        session.act_on_alerts(lambda change: rung.append(change.alert.text))
        await until(pilot, lambda t: "3/3 hosts" in t)
        for number, state in enumerate(STATES):
            alert = Alert("busy", "firing", f"alert {number}", actions=("bell",))
            busy = examples.STATES[state]()._replace(host=f"box-{state}", alerts=(alert,))
            await asyncio.to_thread(boxes[number].publish, busy)
            await until(pilot, lambda _, n=number: len(rung) > n)  # type: ignore[misc]
            await pilot.press("enter")
    assert rung == [f"box-{name}: alert {n}" for n, name in enumerate(STATES)]


async def test_a_host_that_dies_is_dimmed_with_its_age() -> None:
    """Its last figures stay in its row, and leave the totals."""
    snapshot = examples.STATES["high"]()._replace(interval_s=1.0)
    with service(snapshot) as dying, service(Snapshot(host="other")) as other:
        async with table(dying.url, other.url) as pilot:
            await until(pilot, lambda t: "2/2 hosts" in t)
            await asyncio.to_thread(dying.close)
            shown = await until(pilot, lambda t: "1/2 hosts" in t)
    assert any("high" in row for row in rows(shown))


async def test_hosts_follow_the_file(boxes: list[Service], tmp_path: Path) -> None:
    """One that is added appears, one that is taken away goes, without a restart."""
    file = tmp_path / "config.toml"
    block = '[[host]]\nurl = "{}"\nname = "{}"\n'
    file.write_text(block.format(boxes[0].url, "one") + block.format(boxes[1].url, "two"))
    app = TokentopApp(load({}, {}, str(file)), reloader=reloader({}, {}, str(file)))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda t: "2/2 hosts" in t)
        file.write_text(block.format(boxes[1].url, "two") + block.format(boxes[2].url, "three"))
        shown = await until(pilot, lambda t: "three" in t and "2/2 hosts" in t)
        assert " one " not in shown


@pytest.mark.parametrize("size", [(20, 8), (40, 12), (80, 24), (200, 60)])
async def test_every_size_is_exact(size: tuple[int, int], boxes: list[Service]) -> None:
    async with table(*(box.url for box in boxes), size=size) as pilot:
        await until(pilot, lambda t: "host" in t)
        lines = text(pilot.app).splitlines()  # type: ignore[arg-type]
    assert len(lines) == size[1]
