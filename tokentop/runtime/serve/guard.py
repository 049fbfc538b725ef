"""Who may ask: host names, the token, web pages of other origins, and how much may be sent.

Plain ASGI around the whole application, so that nothing can be reached past it.
"""

import hmac
import re
from base64 import b64decode

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tokentop.domain.urls import split
from tokentop.named_tuple import NamedTuple
from tokentop.runtime.serve.lingering import lingering
from tokentop.secret import Secret

AUTHORIZE = "/v1/authorize"
OPEN_PATHS = ("/healthz",)  # a container's health check has no token
UNTRUSTED = "tokentop.untrusted"  # set in the scope of a sender that is no gateway of the owner's
MAX_PATH = 512
MAX_HEADERS = 16 * 1024
MAX_ASKED = 64 * 1024  # of a gateway's question, with its client's headers: Envoy takes 60 KiB
_NOT_IN_HOST = re.compile(r"[/?#@]")
_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}|[0-9a-f:.]*:[0-9a-f:.]*")


class Rules(NamedTuple):
    """`hosts` are lower-case names that a request may be addressed to, besides IP addresses.

    With `screen_token` browsers are let in too, which send the token as a password; it is that of
    the screens that are drawn for them. Only `receiving` are paths that take a body;
    `sender_token` is good for those of `sending` alone, and what is sent with it is a claim.
    """

    hosts: frozenset[str] = frozenset()
    token: Secret | None = None
    cors_origins: tuple[str, ...] = ()
    screen_token: Secret | None = None
    receiving: frozenset[str] = frozenset()
    sending: frozenset[str] = frozenset()
    sender_token: Secret | None = None


class Guard:
    """Answers what is not allowed itself, and passes on the rest."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        allowed = self._allowed_origin(headers)
        foreign = not _is_same_origin(headers) and (allowed is None or scope["type"] == "websocket")
        if refusal is None and foreign and _acts(scope):
            refusal = _refused(403, "another page may not do this", {"connection": "close"})
        if scope["type"] == "http":
            receive, send = lingering(receive, send)
        if allowed is not None:
            send = _with_cors(send, allowed)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        if not self._is_own(headers.get("host", "")):
            return _refused(421, "this is not its name here; see serve.allowed_hosts")
        receives = scope["path"] in self._rules.receiving
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        if has_body and not receives:
            return _refused(413, "requests have no body here", {"connection": "close"})
        asked = asks(scope["path"])  # which has the client's path, and may have its query
        longest = max(len(scope["path"]), len(scope["query_string"]))
        if longest > MAX_PATH and not asked:
            return _refused(414, "the address is too long")
        size = sum(len(name) + len(value) for name, value in scope["headers"])
        if size > (MAX_ASKED if asked else MAX_HEADERS):
            return _refused(431, "the headers are too long")
        if scope.get("method") == "OPTIONS" and self._allowed_origin(headers) is not None:
            return Response(status_code=204)
        sends = scope["path"] in self._rules.sending
        if sends and self._is_sender(headers):
            scope[UNTRUSTED] = self._rules.token is not None
        elif scope["path"] not in OPEN_PATHS and not self._has_token(headers, sends):
            scheme = "Bearer" if self._rules.screen_token is None else 'Basic realm="tokentop"'
            return _refused(401, "a bearer token is needed", {"www-authenticate": scheme})
        return None

    def _is_own(self, host: str) -> bool:
        """Whether the Host header is an IP address or a name of ours.

        A page on another name could make a browser resolve that name to this address (DNS
        rebinding) and read the answer as its own; with an address in the URL it cannot.
        """
        target = None if _NOT_IN_HOST.search(host) else split(f"http://{host}")
        if target is None:
            return False
        name = target.host.removesuffix(".")
        return _ADDRESS.fullmatch(name) is not None or name in self._rules.hosts

    def _is_sender(self, headers: Headers) -> bool:
        scheme, sent = _credentials(headers)
        wanted = self._rules.sender_token
        return wanted is not None and scheme == "bearer" and _is_secret(sent, wanted)

    def _has_token(self, headers: Headers, sends: bool) -> bool:
        if self._rules.token is None:
            return not sends or self._rules.sender_token is None
        scheme, sent = _credentials(headers)
        screen = self._rules.screen_token
        if scheme == "basic" and screen is not None:
            return _is_secret(_password(sent), self._rules.token)
        if scheme != "bearer":
            return False
        return _is_secret(sent, self._rules.token) or (
            screen is not None and _is_secret(sent, screen)
        )

    def _allowed_origin(self, headers: Headers) -> str | None:
        origin = headers.get("origin", "").lower()
        return origin if origin and origin in self._rules.cors_origins else None


def _credentials(headers: Headers) -> tuple[str, bytes]:
    """The scheme in lower case, and what was sent by it."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return scheme.lower(), given.strip().encode("utf-8", "replace")


def _is_secret(sent: bytes, secret: Secret) -> bool:
    return hmac.compare_digest(sent, secret.reveal().encode())


def _password(encoded: bytes) -> bytes:
    """What stands behind the colon of Basic credentials; the user's name may be anything."""
    try:
        return b64decode(encoded, validate=True).partition(b":")[2]
    except ValueError:
        return b""


def _acts(scope: Scope) -> bool:
    """Whether this does more than read; browsers let any page send a POST or open a WebSocket.

    A gateway's question changes nothing, and may come with its client's own headers.
    """
    if scope["type"] == "websocket":
        return True
    return scope["method"] not in ("GET", "HEAD", "OPTIONS") and not asks(scope["path"])


def asks(path: str) -> bool:
    """Whether a path is /v1/authorize, or below it."""
    return path == AUTHORIZE or path.startswith(f"{AUTHORIZE}/")


def _is_same_origin(headers: Headers) -> bool:
    """Whether no page of another origin sends this."""
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2].lower() == headers.get("host", "").lower()


def _refused(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(text + "\n", status, headers)


def _with_cors(send: Send, origin: str) -> Send:
    extra = [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-headers", b"authorization, last-event-id, if-none-match"),
        (b"access-control-expose-headers", b"etag"),
        (b"vary", b"origin"),
    ]

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *extra]}
        await send(message)

    return sent
