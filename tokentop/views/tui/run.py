"""The full screen as a process; however it ends, the terminal is restored."""

import os
import sys
from typing import NoReturn

from tokentop.config.reload import Reloader
from tokentop.config.schema import Config, secrets
from tokentop.views.terminal import detect
from tokentop.views.tui.app import TokentopApp
from tokentop.views.tui.terminal.driver import Driver
from tokentop.views.tui.terminal.gc_tuning import use_one_malloc_arena
from tokentop.views.tui.terminal.headroom import check_headroom
from tokentop.views.tui.terminal.restore_terminal import Terminal, crash_report, on_signals


def run(config: Config, reloader: Reloader | None = None) -> NoReturn:
    """Run the full screen until the user or a signal ends the process.

    `reloader` reads the configuration again when its file has changed. Raises, with the terminal
    as it was, where threads, descriptors or memory do not suffice: see fault.exhausted.
    """
    use_one_malloc_arena()
    check_headroom()
    plain = not detect(sys.__stdout__, os.environ).utf8
    terminal = Terminal()
    app: TokentopApp | None = None
    try:
        on_signals(lambda code: app.leave(code) if app else terminal.leave(code))
        app = TokentopApp(config, terminal, reloader, saves=config.ui.state, plain=plain)
        app.driver_class = Driver
        app.run()
        terminal.leave(app.return_code or 0)
    except Exception as error:  # noqa: BLE001  # the terminal must be restored whatever went wrong
        terminal.leave(1, message=crash_report(error, secrets(config)))
