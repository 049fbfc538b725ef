"""The full screen in a browser: a process for each, drawn by textual-serve's terminal.

That process asks no source: it is connected to this very collector.
"""

import asyncio
import contextlib
import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.resources import files

import textual_serve
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from tokentop.light_typing import Any

MAX_SCREENS = 8  # of 70 MB each
MAX_COLUMNS, MAX_ROWS = 640, 240
LEAVE_S = 0.5  # for a screen to end by itself
TRY_AGAIN = 1013
_CLOSED = (RuntimeError, WebSocketDisconnect)  # by the browser
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"


class Screens:
    """At most MAX_SCREENS processes of `command`, in `environ`."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._command = shlex.join(command)
        self._environ = dict(environ)
        self._count = 0
        self._page = files("tokentop.runtime.serve").joinpath("page.html").read_text("utf-8")

    def routes(self) -> list[BaseRoute]:
        """The page, what it loads, and the screen itself."""
        static = str(files(textual_serve).joinpath("static"))
        return [
            Route("/", self._show_page),
            WebSocketRoute("/ws", self._show_screen),
            Mount("/static", StaticFiles(directory=static)),
        ]

    def _show_page(self, _: Request) -> Response:
        return HTMLResponse(self._page, headers={"content-security-policy": _POLICY})

    async def _show_screen(self, websocket: WebSocket) -> None:
        if self._count >= MAX_SCREENS:
            await websocket.close(TRY_AGAIN)
            return
        self._count += 1
        try:
            await websocket.accept()
            await self._run(websocket)
        finally:
            self._count -= 1

    async def _run(self, websocket: WebSocket) -> None:
        """Until the process ends or the browser leaves."""
        service = _Process(self._command, self._environ, websocket)
        query = websocket.query_params
        size = _cells(query.get("width"), MAX_COLUMNS), _cells(query.get("height"), MAX_ROWS)
        await service.start(*size)
        reading = asyncio.ensure_future(_pass_on(websocket, service))
        try:
            await asyncio.wait((reading, service.ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
            await service.leave()
            with contextlib.suppress(*_CLOSED):
                await websocket.close()


class _Process(AppService):
    """One process of the screen; its output goes to the browser as fast as that reads."""

    def __init__(self, command: str, environ: dict[str, str], websocket: WebSocket) -> None:
        super().__init__(
            command,
            write_bytes=_quietly(websocket.send_bytes),
            write_str=_quietly(websocket.send_text),
            close=_ignore,
            download_manager=DownloadManager(),
        )
        self._extra = environ

    @property
    def ended(self) -> "asyncio.Task[None]":
        """Is done once the process has closed its output."""
        assert self._task is not None
        return self._task

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        found = super()._build_environment(width, height) | self._extra
        found.pop("NO_COLOR", None)
        return found | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}

    async def leave(self) -> None:
        """End the process, whatever it does."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(LEAVE_S):
                await self.stop()
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _pass_on(websocket: WebSocket, service: AppService) -> None:
    """Keys and sizes from the browser to the process, until the browser leaves."""
    with contextlib.suppress(*_CLOSED, ConnectionError, ValueError):  # what is no JSON ends it
        while True:
            await _handle(await websocket.receive_json(), websocket, service)


async def _handle(message: object, websocket: WebSocket, service: AppService) -> None:
    match message:
        case ["stdin", str(text)]:
            await service.send_bytes(text.encode("utf-8", "replace"))
        case ["resize", {"width": int(width), "height": int(height)}]:
            size = _cells(width, MAX_COLUMNS), _cells(height, MAX_ROWS)
            await service.set_terminal_size(*size)
        case ["ping", data]:
            await websocket.send_json(["pong", data])
        case ["focus", *_]:
            await service.focus()
        case ["blur", *_]:
            await service.blur()


def _cells(given: str | int | None, most: int) -> int:
    """A size that a browser sends, as far as it is one."""
    text = str(given or "")
    return max(1, min(int(text), most)) if text.isascii() and text.isdecimal() else min(80, most)


def _quietly(send: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    async def sent(data: Any) -> None:
        with contextlib.suppress(*_CLOSED):
            await send(data)

    return sent


async def _ignore() -> None:
    """The socket is closed once the process has ended."""
