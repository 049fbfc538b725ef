"""An app that ends at once, whatever hangs, and whose crash report holds no secret."""

from collections.abc import Iterable

from textual.app import App
from textual.worker import WorkerFailed

from tokentop.secret import Secret
from tokentop.views.tui.terminal.driver import writer_of
from tokentop.views.tui.terminal.restore_terminal import Terminal, crash_report


class TerminalApp(App[int]):
    """Restores `terminal` and ends the process; without one (under a pilot) ends as Textual does.

    `secrets` are taken out of a crash report.
    """

    def __init__(
        self, terminal: Terminal | None, secrets: Iterable[Secret], *, ansi_color: bool | None
    ) -> None:
        super().__init__(ansi_color=ansi_color)
        self.terminal = terminal
        self._secrets = tuple(secrets)

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
