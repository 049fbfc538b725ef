"""An app that ends at once, whatever hangs, and whose crash report holds no secret."""

from collections.abc import Callable, Iterable, Sequence

from textual._ansi_sequences import SYNC_END, SYNC_START
from textual.app import App
from textual.filter import LineFilter
from textual.screen import Screen
from textual.worker import WorkerFailed

from tokentop.secret import Secret
from tokentop.views.tui.depth import Depth
from tokentop.views.tui.terminal.ascii_filter import AsciiFilter
from tokentop.views.tui.terminal.color_depth import filters_for, show_depth
from tokentop.views.tui.terminal.driver import writer_of
from tokentop.views.tui.terminal.minimal_updates import MinimalUpdate, Update, minimal
from tokentop.views.tui.terminal.picture import Picture, Piece, cursor_at
from tokentop.views.tui.terminal.restore_terminal import Terminal, crash_report
from tokentop.views.tui.terminal.style_cache import release_closed_screens
from tokentop.views.tui.theme import PREFIX


class TerminalApp(App[int]):
    """Restores `terminal` and ends the process; without one (under a pilot) ends as Textual does.

    `secrets` are taken out of a crash report.
    """

    def __init__(self, terminal: Terminal | None, secrets: Iterable[Secret], depth: Depth) -> None:
        release_closed_screens()
        # Decided before Textual picks its filter: without it NO_COLOR gives shades of grey.
        super().__init__(ansi_color=True if depth is Depth.NONE else None)
        self._disable_tooltips = self._disable_notifications = True  # two widgets, never shown
        show_depth(self.console, depth)
        self.depth = depth
        self.terminal = terminal
        self.terminal_picture = Picture()
        self._secrets = tuple(secrets)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and what turns the theme's colours into those that the terminal has."""
        theme = self.theme.removeprefix(PREFIX)
        plain = (AsciiFilter(),) if self.plain else ()
        return [*super().get_line_filters(), *filters_for(self.depth, theme), *plain]

    @property
    def plain(self) -> bool:
        """Whether only ASCII may be sent."""
        return False

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _: self.repaint())

    def on_resize(self) -> None:
        self.terminal_picture.forget()  # the terminal has moved lines, or dropped them

    def repaint(self) -> None:
        """Send every cell again, whatever another program has left on the terminal."""
        self.terminal_picture.forget()
        behind = self._background_screens
        update = self.screen._compositor.render_update(full=True, screen_stack=behind)
        self._display(self.screen, update)

    def _display(self, screen: Screen[object], renderable: Update) -> None:
        super()._display(screen, minimal(renderable, self.terminal_picture))  # type: ignore[arg-type]

    def drawn(self, draw: Callable[[], None]) -> None:
        """Call `draw` on the loop as if Textual did for one of its messages."""
        with self._context():
            try:
                draw()
            except Exception as error:  # noqa: BLE001  # asyncio would print it over the screen
                self._handle_exception(error)

    def send_pieces(self, pieces: Iterable[Piece]) -> None:
        """Send what the terminal lacks of these pieces of the screen, in one write.

        Textual's way there takes three writes and renders where the cursor stands.
        """
        if not self.is_running or self._closed or self.is_headless or self._driver is None:
            return
        if text := MinimalUpdate(self.terminal_picture, pieces).render_segments(self.console):
            x, y = self.cursor_position  # where an input method opens its window
            begin, end = (SYNC_START, SYNC_END) if self._sync_available else ("", "")
            self._driver.write(f"{begin}{text}{cursor_at(y, x)}{end}")

    def send(self, text: str) -> None:
        """Send control sequences beside the picture."""
        if self._driver is not None:
            self._driver.write(text)

    async def action_quit(self) -> None:
        self.leave(0)

    def leave(self, code: int, message: str = "") -> None:
        """End the process with `code`, `message` on standard error; returns under a pilot only."""
        if self.terminal is None:
            self.exit(code, return_code=code)
            return
        self.terminal.leave(code, writer_of(self._driver), message)

    def _handle_exception(self, error: Exception) -> None:
        """End with a redacted report; Textual's own prints local variables, and tokens with them.

        Textual calls this for whatever a handler, a timer or a worker raises.
        """
        if self.terminal is None:
            super()._handle_exception(error)
            return
        if isinstance(error, WorkerFailed) and isinstance(error.error, Exception):
            error = error.error  # the wrapper has no traceback
        self.leave(1, crash_report(error, self._secrets))
