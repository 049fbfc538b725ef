"""The full screen as a process; however it ends, the terminal is restored."""

import os
import sys

from tokentop.config.reload import Reloader
from tokentop.config.schema import Config, secrets
from tokentop.light_typing import TYPE_CHECKING, NoReturn
from tokentop.views.terminal import detect
from tokentop.views.tui.app import TokentopApp
from tokentop.views.tui.terminal.driver import Driver
from tokentop.views.tui.terminal.early_keys import EarlyKeys
from tokentop.views.tui.terminal.gc_tuning import use_one_malloc_arena
from tokentop.views.tui.terminal.headroom import check_headroom
from tokentop.views.tui.terminal.restore_terminal import Terminal, crash_report, on_signals

if TYPE_CHECKING:
    from tokentop.transport.recording.reader import Recording


def run(
    config: Config,
    keys: EarlyKeys,
    reloader: Reloader | None = None,
    recording: "Recording | None" = None,
) -> NoReturn:
    """Run the full screen until the user or a signal ends the process; it plays a `recording`.

    `keys` has what was typed so far; `reloader` reads the configuration again when its file has
    changed. Raises, with the terminal as it was, where threads, descriptors or memory do not
    suffice: see fault.exhausted.
    """
    use_one_malloc_arena()
    check_headroom()
    Driver.typed = keys.end()  # and the terminal's settings are the user's again
    plain = not detect(sys.__stdout__, os.environ).utf8
    terminal = Terminal()
    app: TokentopApp | None = None
    try:
        on_signals(lambda code: app.leave(code) if app else terminal.leave(code))
        app = _app(config, terminal, reloader, recording, plain=plain)
        app.driver_class = Driver
        app.run()
        terminal.leave(app.return_code or 0)
    except Exception as error:  # noqa: BLE001  # the terminal must be restored whatever went wrong
        terminal.leave(1, message=crash_report(error, secrets(config)))


def _app(
    config: Config,
    terminal: Terminal,
    reloader: Reloader | None,
    recording: "Recording | None",
    *,
    plain: bool,
) -> TokentopApp:
    if recording is None:
        return TokentopApp(config, terminal, reloader, saves=config.ui.state, plain=plain)
    from tokentop.views.tui.replay import ReplayApp

    return ReplayApp(config, recording, terminal, plain=plain)
