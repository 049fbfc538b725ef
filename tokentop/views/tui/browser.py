"""`python -m tokentop.views.tui.browser URL [CONFIG]`: the full screen for a browser.

`tokentop serve --web` starts one for each; textual-serve's packets are its input and output.
"""

import os
import sys

from textual.drivers.web_driver import WebDriver

from tokentop.config.load import load
from tokentop.config.schema import secrets
from tokentop.light_typing import NoReturn
from tokentop.views.tui.app import TokentopApp
from tokentop.views.tui.terminal.restore_terminal import Terminal, Writer, crash_report


class Browser(Terminal):
    """Stands where the terminal does: there is nothing to restore."""

    def __init__(self) -> None:
        """Nothing is opened."""

    def leave(self, code: int, writer: Writer | None = None, message: str = "") -> NoReturn:  # noqa: ARG002
        """End the process; the browser sees the end of its output."""
        sys.stderr.write(message)
        sys.stderr.flush()
        os._exit(code)


def main(url: str, path: str | None = None) -> NoReturn:
    """Show what the `tokentop serve` at `url` sends; its token is in the environment."""
    browser = Browser()
    config = load({"connect": [url]}, os.environ, path)
    try:
        app = TokentopApp(config, browser)
        app.driver_class = WebDriver
        app.run()
        browser.leave(app.return_code or 0)
    except Exception as error:  # noqa: BLE001  # a traceback would print locals, tokens among them
        browser.leave(1, message=crash_report(error, secrets(config)))


if __name__ == "__main__":
    main(*sys.argv[1:])
