"""What terminal/ needs of Textual below its public surface; fails where a version has changed it.

A failure here means: read what that version does now, mend terminal/, and only then move the pin
in pyproject.toml.
"""

import asyncio
import inspect
import io
import os
import pty
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue

import pytest
from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate, LayoutUpdate
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.command import CommandList, CommandPalette
from textual.driver import Driver as TextualDriver
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.filter import LineFilter
from textual.geometry import Region
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import WorkerFailed

from tests.views.tui.conftest import MakeApp
from tests.views.tui.pilot import click, drag, pressed
from tests.views.tui.pseudo_terminal import PseudoTerminal
from tests.views.tui.terminal.emulator import shown
from tokentop.views.tui.terminal.driver import Driver, writer_of
from tokentop.views.tui.terminal.minimal_updates import MinimalCompositor
from tokentop.views.tui.terminal.output import Output
from tokentop.views.tui.widgets.panel import Panel

SIZE = (100, 30)


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (Compositor.__init__, "self"),
        (Compositor.render_partial_update, "self"),
        (ChopsUpdate.__init__, "self chops spans chop_ends"),
        (CompositorUpdate.render_segments, "self console"),
        (LayoutUpdate.__init__, "self strips region"),
        (Screen._watch__select_state, "self select_state"),
        (Widget._clear_arrangement_cache, "self"),
        (App._handle_exception, "self error"),
        (App._display, "self screen renderable"),
        (Screen._compositor_refresh, "self"),
        (Compositor.update_widgets, "self widgets"),
        (Widget._set_dirty, "self regions"),
        (Screen._on_timer_update, "self"),
        (App.get_line_filters, "self"),
        (Compositor.render_update, "self full screen_stack simplify"),
        (LineFilter.apply, "self segments background"),
        (LinuxDriver._sigcont_application, "self _"),
        (LinuxDriver.suspend_application_mode, "self"),
        (CommandPalette._action_command_list, "self action"),
        (LinuxDriver.__init__, "self app debug mouse size"),
        (LinuxDriver.start_application_mode, "self"),
        (LinuxDriver.disable_input, "self"),
        (LinuxDriver.run_input_thread, "self"),
        (TextualDriver.process_message, "self message"),
        (StylesCache.get_inner_outer.__wrapped__, "cls base_background background"),
        (WriterThread.__init__, "self file"),
        (WriterThread.write, "self text"),
        (LinuxDriver._get_terminal_size, "self"),
        (LinuxDriver._query_in_band_window_resize, "self"),
        (WriterThread.stop, "self"),
        (XTermParser.__init__, "self debug"),
        (XTermParser.feed, "self data"),
        (XTermParser.tick, "self"),
    ],
    ids=lambda given: getattr(given, "__qualname__", ""),
)
def test_what_is_overridden_or_called_takes_the_same(
    function: Callable[..., object], parameters: str
) -> None:
    """The parameters of every private method, and of every method that a subclass replaces."""
    assert list(inspect.signature(function).parameters) == parameters.split()


def test_the_compositor_keeps_what_a_partial_update_swaps() -> None:
    """Dirty regions as a set; cuts and visible widgets cached until they are set to None."""
    compositor = MinimalCompositor()
    assert compositor._dirty_regions == set()
    assert compositor._cuts is None
    assert compositor._visible_widgets is None
    compositor._cuts, compositor._visible_widgets = [[0, 9]], {}
    assert compositor.cuts == [[0, 9]]
    assert compositor.visible_widgets == {}


def test_an_update_is_spans_of_chops() -> None:
    """(y, first, past the last) of every span; of every line its strips by x, and their ends."""
    update = ChopsUpdate([{0: None}], [(0, 3, 5)], [[9]])
    assert (update.chops, update.spans, update.chop_ends) == ([{0: None}], [(0, 3, 5)], [[9]])


async def test_a_screen_draws_through_its_compositor(make_app: MakeApp) -> None:
    """It is ours, and it renders the panel with the dirty cells and no other."""
    async with make_app().run_test(size=SIZE) as pilot:
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen._compositor, MinimalCompositor)
        header = screen.query_one("#header")
        drawn: list[Widget] = []
        for panel in screen.query(Panel):
            panel.render_lines = lambda crop, panel=panel, draw=panel.render_lines: (  # type: ignore[method-assign,misc]
                drawn.append(panel) or draw(crop)
            )
        header.refresh(Region(3, 0, 2, 1))
        screen._compositor.update_widgets({header})
        update = screen._compositor.render_partial_update()
        assert isinstance(update, ChopsUpdate)
        assert update.spans == [(0, 3, 5)]
        assert drawn == [header]


async def test_selecting_repaints_no_whole_screen(make_app: MakeApp) -> None:
    """Neither a click nor a drag nor its end: the panels refresh their own changed cells."""
    async with make_app().run_test(size=SIZE) as pilot:
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(Screen._select_state, Reactive)
        whole: list[object] = []
        screen.refresh = lambda *regions, **_: whole.append(regions)  # type: ignore[method-assign,assignment]
        await drag(pilot, (3, 12), (9, 12))
        assert screen.selections
        assert screen._select_state is not None
        await click(pilot, 3, 0)
        assert not screen.selections
        assert screen._select_state is None
        assert not screen._selecting
        assert not whole


async def test_the_terminal_shows_what_the_app_composed(make_app: MakeApp, tmp_path: Path) -> None:
    """After a full picture and a few partial updates every cell on the terminal is right."""
    keys = ("s", "p", "2", "j", "1", "t", "plus")
    async with make_app().run_test(size=SIZE) as pilot:
        expected = await pressed(pilot, *keys)
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    with PseudoTerminal(["--demo=stack", "--demo-at", "100"], env, size=SIZE) as terminal:
        terminal.read_until(b"\x1b[?1049h", b"quit")
        for key in keys:
            terminal.press(key.replace("plus", "+").encode())
        terminal.read_until(b"Polling every 5 s")
        terminal.press(b"q")
        terminal.wait()
        stream = terminal.seen.decode().rpartition("\x18")[0]
    assert shown(stream, *SIZE) == expected


async def test_what_repainting_and_a_stop_rest_on(make_app: MakeApp) -> None:
    """The screens behind an overlay are a list; a driver knows whether it was suspended."""
    async with make_app().run_test(size=SIZE) as pilot:
        assert pilot.app._background_screens == []
        await pilot.press("question_mark")
        assert len(pilot.app._background_screens) == 1
    driver = Driver(make_app())  # type: ignore[arg-type]
    assert driver._must_signal_resume is False
    assert driver._auto_restart is True


async def test_tips_and_toasts_are_what_textual_would_add() -> None:
    """Without the two switches a screen has both; a pilot sets the switches to what it is told."""
    app: App[None] = App()
    assert not app._disable_tooltips
    assert not app._disable_notifications
    async with app.run_test(tooltips=True, notifications=True):
        assert {type(child).__name__ for child in app.screen.children} == {"Tooltip", "ToastRack"}
    async with (plain := App[None]()).run_test():
        assert not plain.screen.children


async def test_a_screen_of_textuals_own_has_a_compositor_to_replace() -> None:
    """`Screen.__init__` makes one and nothing else holds it."""
    assert type(Screen()._compositor) is Compositor


def test_the_writer_has_a_queue_whose_bound_can_be_lifted() -> None:
    """Else a terminal that reads no more blocks the event loop at 30 writes, and q with it."""
    file = io.StringIO()
    writer = WriterThread(file)  # type: ignore[arg-type]
    assert isinstance(writer._queue, Queue)
    assert writer._queue.maxsize == MAX_QUEUED_WRITES
    writer._queue.maxsize = 0
    for _ in range(3 * MAX_QUEUED_WRITES):
        writer.write("x")
    writer.start()
    writer.stop()
    assert not writer.is_alive()
    assert file.getvalue() == "x" * 3 * MAX_QUEUED_WRITES


def test_a_pasted_size_would_be_believed() -> None:
    """The parser makes a Resize of it and takes mouse reports for pixels from then on."""
    parser = XTermParser(False)
    (message,) = list(parser.feed("\x1b[48;30;100;600;1000t"))
    assert isinstance(message, Resize)
    assert message.size == (100, 30)
    assert parser.mouse_pixels is True


@pytest.fixture
def signals() -> Iterator[None]:
    """The driver takes over some signals: give them back."""
    numbers = (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH, signal.SIGTTIN, signal.SIGTTOU)
    before = [(number, signal.getsignal(number)) for number in numbers]
    yield
    for number, handler in before:
        signal.signal(number, handler)


async def test_a_page_key_in_a_palette_without_room(make_app: MakeApp) -> None:
    """Textual's list looks up lines that it counts only where it has room to draw."""
    async with make_app().run_test(size=(38, 2)) as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause()
        palette = pilot.app.screen
        assert isinstance(palette, CommandPalette)
        options = palette.query_one(CommandList)
        options.add_option("command")
        options._clear_caches()
        options.highlighted = 0
        for action in ("page_down", "page_up"):
            with pytest.raises(KeyError):
                CommandPalette._action_command_list(palette, action)
            palette._action_command_list(action)


@pytest.mark.usefixtures("signals")
async def test_the_driver_starts_and_stops_as_ours_expects(make_app: MakeApp) -> None:
    """Its writer is unbounded, its input thread is ours, and disable_input wakes and ends it."""
    near, far = pty.openpty()
    driver = Driver(make_app())  # type: ignore[arg-type]
    driver.fileno = far
    driver._output = Output(os.fdopen(os.dup(far), "w"), lambda: None)
    driver._file = driver._output  # type: ignore[assignment]
    assert writer_of(driver) is None
    driver.start_application_mode()
    writer, keys = writer_of(driver), driver._key_thread
    assert isinstance(writer, WriterThread)
    assert writer._queue.maxsize == 0
    assert isinstance(keys, threading.Thread)
    assert keys.is_alive()
    assert os.read(near, 8) == b"\x1b[?1049h"
    driver.disable_input()
    assert not keys.is_alive()
    driver.stop_application_mode()
    driver.close()
    assert not writer.is_alive()


async def test_the_app_has_no_driver_of_another_kind(make_app: MakeApp) -> None:
    """`App._driver` is where the writer is found; a headless one has none."""
    async with make_app().run_test() as pilot:
        assert isinstance(pilot.app._driver, TextualDriver)
        assert writer_of(pilot.app._driver) is None


async def test_a_fault_reaches_the_one_handler(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a worker, a timer, a handler, a tick or a new snapshot raises: `_handle_exception`."""
    errors: asyncio.Queue[Exception] = asyncio.Queue()
    names = ("worker", "timer", "handler", "second", "snapshot")
    faults = {name: RuntimeError(name) for name in names}

    def fail(name: str) -> None:
        raise faults[name]

    async def work() -> None:
        fail("worker")

    app = make_app()
    monkeypatch.setattr(app, "_handle_exception", errors.put_nowait)
    async with app.run_test():
        app.run_worker(work())
        app.set_timer(0.001, lambda: fail("timer"))
        app.screen.query_one("#header").call_later(fail, "handler")
        app.drawn(lambda: fail("second"))
        monkeypatch.setattr(app.monitor, "show", lambda *_: fail("snapshot"))
        app.snapshot_ready(app.session.snapshot(), app.session.now())
        async with asyncio.timeout(5):
            seen = [await errors.get() for _ in faults]
    (wrapped,) = (error for error in seen if isinstance(error, WorkerFailed))
    assert wrapped.error is faults["worker"]
    assert {str(error) for error in seen if error is not wrapped} == set(names[1:])


def test_colours_are_rendered_by_name_of_their_system() -> None:
    """Rich's public table leads from a console's colour system to what `Style.render` takes."""
    assert COLOR_SYSTEMS["truecolor"] is ColorSystem.TRUECOLOR
    red = Style(color="#ff0000").render("x", color_system=COLOR_SYSTEMS["truecolor"])
    assert red == "\x1b[38;2;255;0;0mx\x1b[0m"
    assert Style(color="red").render("x", color_system=None) == "x"
