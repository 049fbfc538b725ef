"""A real Chromium without a window, driven over its DevTools protocol.

`python -m tests.servers.browser URL FILE` saves what `tokentop serve --web` shows there, as PNG.
"""

import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_S = 45.0


class Page:
    """One page; `frames` are the binary WebSocket messages that it got, joined as text."""

    def __init__(self, link: ClientConnection) -> None:
        self._link = link
        self._number = 0
        self.frames = ""
        self.statuses: list[int] = []
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        self._link.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = self._receive()
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]  # type: ignore[no-any-return]

    def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._link.recv(PATIENCE_S))
        given = message.get("params", {})
        if message.get("method") == "Network.webSocketFrameReceived":
            data = given["response"]["payloadData"]
            if given["response"]["opcode"] == 2:
                self.frames += base64.b64decode(data).decode("utf-8", "replace")
        if message.get("method") == "Network.responseReceived":
            self.statuses.append(given["response"]["status"])
        return message

    def until(self, found: Callable[[str], object]) -> None:
        """Read on until what came over WebSockets is as wanted."""
        deadline = time.monotonic() + PATIENCE_S
        while not found(self.frames):
            assert time.monotonic() < deadline, self.frames[-2000:]
            self._receive()

    def value(self, script: str) -> Any:
        return self.call("Runtime.evaluate", expression=script)["result"].get("value")

    def press(self, key: str) -> None:
        """As on the keyboard, once the terminal in the page has the focus."""
        self.call("Runtime.evaluate", expression="document.querySelector('textarea').focus()")
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def picture(self) -> bytes:
        """What is to be seen, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])


@contextmanager
def browser(url: str, folder: Path, width: int = 1290, height: int = 860) -> Iterator[Page]:
    """Open `url` in a browser of its own; `folder` is for its profile."""
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--no-first-run", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader",
        f"--window-size={width},{height}", f"--user-data-dir={folder / 'profile'}",
        "--remote-debugging-port=0", "about:blank",
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = next(line for line in process.stderr if "DevTools listening on" in line)
            port = line.partition("127.0.0.1:")[2].partition("/")[0]
            with connect(_page_of(port), max_size=None) as link:
                page = Page(link)
                page.call("Page.navigate", url=url)
                yield page
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _page_of(port: str) -> str:
    pages = httpx.get(f"http://127.0.0.1:{port}/json").json()
    return next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place, browser(sys.argv[1], Path(place)) as shown:
        shown.until(lambda text: "multiplier" in text)
        ending = time.monotonic() + 2.0  # until the terminal has drawn it
        while time.monotonic() < ending:
            shown.value("1")
        Path(sys.argv[2]).write_bytes(shown.picture())
