"""`tokentop serve`: settles address and token, then runs the service until a signal ends it."""

import asyncio
import os
import secrets
import sys
from collections.abc import Mapping
from importlib.resources import files

from tokentop import __version__
from tokentop.config.credentials import CONNECT_TOKEN
from tokentop.config.reload import Reloader
from tokentop.config.schema import Config, ServeConfig
from tokentop.config.serve_token import serve_token
from tokentop.domain.snapshot_json import dumps
from tokentop.domain.urls import is_loopback
from tokentop.light_typing import NoReturn
from tokentop.runtime.serve import booking
from tokentop.runtime.serve.app import Documents
from tokentop.runtime.serve.guard import Rules
from tokentop.runtime.serve.hub import Formats
from tokentop.runtime.serve.server import Pages, Service, flush
from tokentop.runtime.serve.server import serve as run_service
from tokentop.runtime.serve.usage import PATHS
from tokentop.secret import Secret
from tokentop.transport.http.listen import Listener, listen
from tokentop.views.metrics import openmetrics, prometheus


class ServeError(Exception):
    """Why it cannot serve, as one sentence."""


def serve(config: Config, environ: Mapping[str, str], reloader: Reloader | None = None) -> int:
    """Serve until a signal, then end the process with its exit code.

    Raises ServeError before anything is polled: a token that cannot be read, a port in use.
    """
    token = _token(config.serve, environ)
    sockets = _listen(config.serve)
    rules = Rules(_own_names(config.serve), token, config.serve.cors_origins)
    own: list[Listener] = []
    pages: Pages = ()
    usage = booking.begin(config, environ, _say)
    if usage is not None:
        sender = _sender_token(config, environ)
        rules = rules._replace(sending=PATHS, sender_token=sender)
    if config.serve.web:
        rules = rules._replace(screen_token=Secret(secrets.token_hex()))
        own = listen("127.0.0.1", 0)
        pages = _pages(config, rules, own[0])
    service = Service(
        config=config,
        formats=Formats(dumps, prometheus, openmetrics),
        documents=Documents(schema=_shared("schema.json"), openapi=_openapi()),
        rules=rules,
        say=_say,
        reloader=reloader,
        pages=pages,
        usage=usage,
    )
    _say(_greeting(sockets, token))
    return _run(service, [*sockets, *own])


def _run(service: Service, sockets: list[Listener]) -> NoReturn:
    loop = asyncio.new_event_loop()
    code = loop.run_until_complete(run_service(service, sockets))
    if service.usage is not None:
        service.usage.stop()
    flush()
    os._exit(code)  # without waiting for a name look-up or a driver's call that hangs


def _pages(config: Config, rules: Rules, own: Listener) -> Pages:
    """The screen in a browser; its processes connect to `own`, which is on loopback."""
    from tokentop.runtime.serve.web import Screens

    url = f"http://127.0.0.1:{own.getsockname()[1]}"
    command = [sys.executable, "-m", "tokentop.views.tui.browser", url]
    environ = {}
    if rules.token is not None and rules.screen_token is not None:
        environ[CONNECT_TOKEN] = rules.screen_token.reveal()
    return Screens([*command, *([config.file] if config.file else [])], environ).routes()


def _sender_token(config: Config, environ: Mapping[str, str]) -> Secret | None:
    try:
        return serve_token(config.ledger, environ, "ledger")
    except ValueError as error:
        raise ServeError(str(error)) from None


def _token(config: ServeConfig, environ: Mapping[str, str]) -> Secret | None:
    try:
        token = serve_token(config, environ)
    except ValueError as error:
        raise ServeError(str(error)) from None
    if token is None and not is_loopback(config.host) and not config.insecure_no_auth:
        raise ServeError(
            f"{config.host} can be reached from other machines, and there is no token; name one "
            "with --token-file (or serve.token_env), or choose --insecure-no-auth"
        )
    return token


def _listen(config: ServeConfig) -> list[Listener]:
    try:
        return listen(config.host, config.port)
    except OSError as error:
        why = error.strerror or "not possible"
        raise ServeError(
            f"cannot listen on port {config.port} of {config.host}: {why}; "
            "choose another with --host and --port"
        ) from None


def _own_names(config: ServeConfig) -> frozenset[str]:
    names = ("localhost", os.uname().nodename, config.host, *config.allowed_hosts)
    return frozenset(name.lower() for name in names)


def _greeting(sockets: list[Listener], token: Secret | None) -> str:
    places = [one.getsockname()[:2] for one in sockets]
    urls = [f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            for host, port in places]  # fmt: skip
    return f"serving on {', '.join(urls)}{' with a token' if token else ''}"


def _openapi() -> str:
    return _shared("openapi.json").replace("VERSION", __version__)


def _shared(name: str) -> str:
    return files("tokentop").joinpath("share", name).read_text("utf-8")


def _say(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"tokentop: {text}\n")
        sys.stderr.flush()
