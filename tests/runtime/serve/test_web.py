"""`tokentop serve --web`: the screen in a real browser, under the token of the API."""

import re
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.cli.command import PATIENCE_S, environment, started
from tests.runtime.serve.greeting import port_of
from tests.servers.browser import CHROMIUM, browser
from tests.servers.service import service
from tokentop.runtime.serve import connection

TOKEN = "0123456789abcdef0123456789abcdef"
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium: apt-get install chromium"
)


class Web(NamedTuple):
    """The command with a token on a free port; every test leaves it without a screen."""

    port: int
    pid: int

    def screens(self) -> int:
        """How many processes draw for a browser."""
        command = ["pgrep", "-fc", "-P", str(self.pid), "tokentop.views.tui.browser"]
        return int(subprocess.run(command, capture_output=True, text=True).stdout)

    def until_none(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.screens():
            assert time.monotonic() < deadline


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    token = tmp_path_factory.mktemp("web") / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    words = ("serve", "--web", "--demo", "--port", "0", "--token-file", str(token))
    with started(*words, env=environment()) as process:
        yield Web(port_of(process), process.pid)


def socket(port: int, **headers: str) -> ClientConnection:
    url = f"ws://127.0.0.1:{port}/ws?width=80&height=24"
    named = {name.title(): value for name, value in headers.items()}
    return connect(url, additional_headers=named, max_size=None)


def shown(link: ClientConnection, words: str) -> bool:
    """Read until these words came; whether they did."""
    text = ""
    while words not in text:
        message = link.recv(PATIENCE_S)
        text += message.decode("utf-8", "replace") if isinstance(message, bytes) else ""
    return True


@needs_chromium
def test_a_browser_shows_the_screen_and_its_keys_work(web: Web, tmp_path: Path) -> None:
    """The dashboard, the keys after `?`, and the page's own end after `q`."""
    with browser(f"http://any:{TOKEN}@127.0.0.1:{web.port}/", tmp_path) as page:
        page.until(lambda text: "cost multiplier" in text and "gpu-box-01" in text)
        picture = page.picture()
        page.press("?")
        page.until(lambda text: "GPUs with their processes" in text)
        page.press("q")
        deadline = time.monotonic() + PATIENCE_S
        while "-closed" not in page.value("document.body.className"):
            assert time.monotonic() < deadline
    web.until_none()
    width, height = struct.unpack(">II", picture[16:24])
    assert width > 1000
    assert height > 600
    assert len(picture) > 20_000  # an empty page takes 5 kB
    assert set(page.statuses) <= {200, 401, 404}  # asked for the token; no icon


def test_a_screen_needs_the_token_and_ends_with_its_browser(web: Web) -> None:
    """As a password or a bearer token; its process is gone once the socket is closed."""
    page = f"http://127.0.0.1:{web.port}/"
    refused = [httpx.get(page), httpx.get(page, auth=("any", "wrong"))]
    opened = httpx.get(page, auth=("any", TOKEN))
    script = httpx.get(f"{page}static/js/textual.js", auth=("any", TOKEN))
    with socket(web.port, authorization=f"Bearer {TOKEN}") as link:
        assert shown(link, "gpu-box-01")
        assert web.screens() == 1
    web.until_none()
    assert [answer.status_code for answer in refused] == [401, 401]
    assert {answer.headers["www-authenticate"] for answer in refused} == {'Basic realm="tokentop"'}
    assert opened.status_code == script.status_code == 200
    assert re.findall(r"https?://[^\"' ]+", opened.text) == []  # nothing from other servers


def test_a_socket_outlives_the_time_for_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that only looks on is not one that never asks."""

    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())

    monkeypatch.setattr(connection, "HEADERS_S", 0.2)
    with (
        service(pages=[WebSocketRoute("/ws", echo)]) as running,
        connect(f"ws://127.0.0.1:{running.port}/ws") as link,
    ):
        with pytest.raises(TimeoutError):
            link.recv(0.6)
        link.send("still here")
        assert link.recv(PATIENCE_S) == "still here"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Bearer {TOKEN}", "origin": "https://evil.example"},
    ],
)
def test_no_other_page_opens_a_screen(headers: dict[str, str], web: Web) -> None:
    """Browsers let any page open a WebSocket, and send the password along."""
    with pytest.raises(InvalidStatus) as refused:
        socket(web.port, **headers)
    assert web.screens() == 0
    assert refused.value.response.status_code in (401, 403)
