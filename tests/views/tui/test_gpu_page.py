"""The GPU page under the keys and the mouse: cursor, order, and ending a process."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from os import uname

import pytest

from tests.box import Box, device, process
from tests.gpu_pages import H200, page
from tests.views.tui.pilot import AppPilot, app_of, click, picture, pressed
from tokentop.config.load import load
from tokentop.domain.gpu_detail import ProcessDetail
from tokentop.domain.snapshot import Process, Snapshot
from tokentop.transport import procfs
from tokentop.views.tui.app import TokentopApp

SIZE = (120, 40)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A real process of ours, which the pictures show on a GPU."""
    code = "import signal, time; signal.signal(15, 1); print(flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def shown(one: Process, sm: float, started: int | None, command: str) -> Process:
    return one._replace(detail=ProcessDetail(sm, 1.0, 2**30, 90.0, command, started))


def snapshot(pid: int, started: int | None, host: str) -> Snapshot:
    """Our process on GPU 1 beside init, which is root's, and an idle one on GPU 0."""
    first = procfs.started("/proc", 1)
    one = device(0, 30.0, 140.4, shown(process(1, "init", "root", 30), 0.0, first, "/sbin/init"))
    two = device(
        1, 90.0, 140.4, shown(process(pid, "vllm", "me", 90), 0.9, started, "vllm serve m")
    )
    return Box(host).gpus(page(one, H200), page(two, H200, "power-cap")).snapshot()


async def opened(pilot: AppPilot, given: Snapshot) -> None:
    """The GPU page with this snapshot, as if a poll had brought it."""
    app = app_of(pilot)
    app.snapshot_ready(given, app.session.now())
    await pressed(pilot, "2")


def quiet_app() -> TokentopApp:
    """An app that polls nothing, and is not the demo."""
    config = load({}, {}, None)
    discovery = config.discovery._replace(enabled=False)
    return TokentopApp(config._replace(services=(), gpus=False, discovery=discovery))


@pytest.fixture
async def at_page(child: subprocess.Popen[bytes]) -> AsyncIterator[AppPilot]:
    started = procfs.started("/proc", child.pid)
    async with quiet_app().run_test(size=SIZE) as pilot:
        await opened(pilot, snapshot(child.pid, started, uname().nodename))
        yield pilot


async def test_the_cursor_goes_through_the_processes(
    at_page: AppPilot, child: subprocess.Popen[bytes]
) -> None:
    """j moves it, k moves it back, and it stays on its process when the order changes."""
    assert _under_cursor(at_page) == 1
    await pressed(at_page, "j")
    assert _under_cursor(at_page) == child.pid
    await pressed(at_page, "k")
    assert _under_cursor(at_page) == 1


async def test_o_sorts_the_processes_by_the_next_column(
    at_page: AppPilot, child: subprocess.Popen[bytes]
) -> None:
    """By VRAM the largest is first; the heading has the mark."""
    shown = await pressed(at_page, "o")
    assert "▾VRAM" in shown
    assert _under_cursor(at_page) == child.pid


async def test_a_heading_sorts_and_once_more_in_reverse(
    at_page: AppPilot, child: subprocess.Popen[bytes]
) -> None:
    """A click on `SM` puts the busiest first, another one the idlest."""
    x, y = _find(at_page, " SM ")
    await click(at_page, x + 1, y)
    assert "▾SM" in picture(app_of(at_page))
    assert _under_cursor(at_page) == child.pid
    await click(at_page, x + 1, y)
    assert "▴SM" in picture(app_of(at_page))
    assert _under_cursor(at_page) == 1


async def test_the_filter_keeps_the_processes_that_match(
    at_page: AppPilot, child: subprocess.Popen[bytes]
) -> None:
    """By what their rows show, the pid and the command line too; their GPU stays with them."""
    shown = await pressed(at_page, "/", *str(child.pid), "enter")
    assert _under_cursor(at_page) == child.pid
    assert "vllm serve m" in shown
    assert "/sbin/init" not in shown
    assert "No process matches “gemma”." in await pressed(at_page, "escape", "/", *"gemma", "enter")


async def test_shift_o_reverses_the_processes(
    at_page: AppPilot, child: subprocess.Popen[bytes]
) -> None:
    """The GPUs' order is left alone."""
    assert "▾VRAM" in await pressed(at_page, "o")
    assert "▴VRAM" in await pressed(at_page, "O")
    assert _under_cursor(at_page) == 1


async def test_a_click_takes_the_cursor_to_a_row(
    at_page: AppPilot, child: subprocess.Popen[bytes]
) -> None:
    await click(at_page, *_find(at_page, str(child.pid)))
    assert _under_cursor(at_page) == child.pid


async def test_x_names_the_process_and_y_ends_it(
    at_page: AppPilot, child: subprocess.Popen[bytes]
) -> None:
    """SIGTERM after y; a second wish is SIGKILL, which ends one that ignores SIGTERM."""
    asked = await pressed(at_page, "j", "x")
    assert "End this process?" in asked
    assert f"{child.pid} vllm" in asked
    assert "of me on GPU 1" in asked
    assert "vllm serve m" in asked
    assert "send SIGTERM" in asked
    assert child.poll() is None
    assert f"Sent SIGTERM to {child.pid}" in await pressed(at_page, "y")
    again = await pressed(at_page, "x")
    assert "send SIGKILL" in again
    assert "It has had SIGTERM" in again
    assert f"Sent SIGKILL to {child.pid}" in await pressed(at_page, "y")
    assert child.wait(10) == -9


async def test_any_other_key_leaves_it_alone(
    at_page: AppPilot, child: subprocess.Popen[bytes]
) -> None:
    """Only y says yes; the page stands there again."""
    await at_page.press("j")
    for key in ("n", "enter", "escape", "x", "q"):
        assert "End this process?" in await pressed(at_page, "x")
        left = await pressed(at_page, key)
        assert "End this process?" not in left
        assert "Processes" in left
        assert child.poll() is None


async def test_what_may_not_be_ended_is_a_sentence(
    child: subprocess.Popen[bytes],
) -> None:
    """A process that has no start time, and one of another host: no question is asked."""
    async with quiet_app().run_test(size=SIZE) as pilot:
        await opened(pilot, snapshot(child.pid, None, "elsewhere"))
        told = await pressed(pilot, "j", "x")
        assert "runs on another host" in told
        assert "End this process?" not in told


async def test_the_demos_processes_are_not_real(at_large: AppPilot) -> None:
    """The demo has nothing to end, and says so."""
    assert "simulated" in await pressed(at_large, "2", "x")


async def test_elsewhere_x_says_where_it_works(at_large: AppPilot) -> None:
    """On the dashboard no process is under a cursor."""
    assert "GPU page" in await pressed(at_large, "x")


def _under_cursor(pilot: AppPilot) -> int:
    row = next(line for line in picture(app_of(pilot)).splitlines() if "▸" in line)
    return int(row.partition("▸")[2].split()[1])


def _find(pilot: AppPilot, text: str) -> tuple[int, int]:
    """Where a text stands in the processes' panel."""
    lines = picture(app_of(pilot)).splitlines()
    top = next(y for y, line in enumerate(lines) if "─ Processes ─" in line)
    return next((line.index(text), y) for y, line in enumerate(lines) if y > top and text in line)
