"""One request's rules, shared by both transports: time, size, TLS, auth, redirects."""

import re
from collections.abc import Iterable

from tokentop import __version__
from tokentop.domain.readings import Failure
from tokentop.domain.text import clean
from tokentop.domain.urls import Target, origin, safe_url, split
from tokentop.named_tuple import NamedTuple
from tokentop.secret import Secret
from tokentop.transport.http.failures import fail, failure_for_status

__all__ = [
    "Reply",
    "Request",
    "failure_for_status",
    "head",
    "headers_for",
    "next_hop",
    "origin",
    "safe_url",
    "target_of",
]

MAX_HOPS = 3
MAX_HEADERS = 100
MAX_HEADER_BYTES = 64 * 1024
MALFORMED = -1
REDIRECTS = (301, 302, 303, 307, 308)

_TOKEN = r"[\x21-\x7e]{1,8192}"  # compiled with the first token


class Request(NamedTuple):
    """One GET, or a POST of `post`. `url` may hold secrets: show `safe_url(url)` only.

    `timeout_s` bounds the whole exchange, name resolution and TLS included; `max_bytes` the body.
    A token goes to the URL's own origin only. `max_hops` redirects are followed. A POST's
    `headers` name its content type.
    """

    url: str
    timeout_s: float = 2.5
    max_bytes: int = 2 * 1024 * 1024
    token: Secret | None = None
    ca_bundle: str | None = None
    verify: bool = True
    max_hops: int = MAX_HOPS
    headers: tuple[tuple[str, str], ...] = ()  # besides those of every request
    post: bytes | None = None

    def __repr__(self) -> str:
        return f"Request({safe_url(self.url)!r}, timeout_s={self.timeout_s:g})"


class Reply(NamedTuple):
    """A 2xx answer, read to its end within the limits."""

    status: int
    body: bytes
    content_type: str = ""
    server: str = ""
    latency_s: float = 0.0


class AnswerHead(NamedTuple):
    """Status and headers of an answer, header names in lower case."""

    status: int
    headers: dict[str, str]

    def reply(self, body: bytes, latency_s: float) -> Reply:
        """The finished Reply; the two headers that are shown are made safe here."""
        return Reply(
            self.status, body, self._shown("content-type"), self._shown("server"), latency_s
        )

    def length(self) -> int | None:
        """The announced body length, None where none is, MALFORMED where it is no number."""
        lengths = {part.strip() for part in self.headers.get("content-length", "").split(",")}
        digits = lengths.pop()
        if not digits and not lengths:
            return None
        if lengths or not digits.isascii() or not digits.isdigit():
            return MALFORMED
        return int(digits) if len(digits) < 19 else 10**18

    def _shown(self, name: str) -> str:
        return clean(self.headers.get(name, ""), 128)


def target_of(request: Request) -> Target:
    """The parts of the request's URL; raises RequestFailed where it is no http(s) address."""
    target = split(request.url)
    if target is None:
        fail("unreachable", "the address is not a valid http:// or https:// URL: mend it")
    return target


def headers_for(request: Request, target: Target) -> list[tuple[str, str]]:
    """What is sent with a request, and the one place that reveals a token; raises RequestFailed."""
    headers = [
        ("Host", target.netloc),
        ("User-Agent", f"tokentop/{__version__}"),
        ("Accept", "application/json, text/plain;q=0.9, */*;q=0.1"),
        ("Accept-Encoding", "identity"),
        *request.headers,
    ]
    if request.token is not None:
        headers.append(("Authorization", f"Bearer {_sendable(request.token)}"))
    elif target.userinfo:
        headers.append(("Authorization", f"Basic {_basic(target.userinfo)}"))
    return headers


def head(request: Request, target: Target, *, close: bool = True) -> bytes:
    """The bytes of the whole request; with `close` its connection carries no other."""
    body = request.post
    lines = [f"{'GET' if body is None else 'POST'} {target.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers_for(request, target)]
    lines += [] if body is None else [f"Content-Length: {len(body)}"]
    if close:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("ascii") + (body or b"")


def _sendable(token: Secret) -> str:
    value = token.reveal()
    if not re.fullmatch(_TOKEN, value):
        fail("auth", "the token holds characters no header can carry: check token_env, token_file")
    return value


def _basic(userinfo: str) -> str:
    from binascii import b2a_base64
    from urllib.parse import unquote_to_bytes

    user, _, password = userinfo.partition(":")
    pair = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
    return b2a_base64(pair, newline=False).decode("ascii")


def refusal(answer: AnswerHead, request: Request) -> Failure | None:
    """Why the body of this answer is not worth reading, or None where it is."""
    failure = failure_for_status(answer.status, request.url, with_token=request.token is not None)
    if failure is not None:
        return failure
    if answer.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
        return Failure("bad-data", f"{origin(request.url)} answered compressed, unasked")
    length = answer.length()
    if length is not None and length > request.max_bytes:
        return too_large(request)
    return not_http(request) if length == MALFORMED else None


def too_large(request: Request) -> Failure:
    """The body is longer than the request allows."""
    text = f"{origin(request.url)} sent more than {request.max_bytes / 2**20:.3g} MiB"
    return Failure("too-large", text)


def not_http(request: Request) -> Failure:
    """Answered, but not in HTTP/1.1."""
    text = f"{origin(request.url)} does not speak HTTP there: check the port, or try https://"
    return Failure("bad-data", text)


def no_answer(request: Request) -> Failure:
    """Connected, asked, and closed on without a word: what many a TLS port does to plain HTTP."""
    at = origin(request.url)
    mend = "; if it serves TLS, use https:// in its address" if at.startswith("http:") else ""
    return Failure("reset", f"{at} closed the connection without an answer{mend}")


def headers_too_large(request: Request) -> Failure:
    """More than 100 headers or 64 KiB of them."""
    return Failure("too-large", f"{origin(request.url)} sent headers without end")


def header_table(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; a repeated one is joined with commas."""
    table: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip()
        table[name] = f"{table[name]}, {value}" if name in table else value
    return table


def next_hop(request: Request, location: str, hops: int = 1) -> Request | Failure:
    """Where the `hops`-th redirect of one exchange leads; only ever within the same origin."""
    at = origin(request.url)
    if hops > request.max_hops:
        circle = f"redirects in a circle (more than {request.max_hops} hops)"
        return Failure("redirect", f"{at} {circle if request.max_hops else 'redirects'}")
    target = split(_joined(request.url, location))
    if target is None:
        return Failure("redirect", f"{at} redirects to something that is no address")
    if target.origin != at:
        mend = "put that address in the configuration"
        return Failure("redirect", f"{at} redirects to another host {target.origin[:128]}; {mend}")
    here = split(request.url)
    userinfo = f"{here.userinfo}@" if here is not None and here.userinfo else ""
    return request._replace(url=f"{target.scheme}://{userinfo}{target.netloc}{target.path}")


def _joined(url: str, location: str) -> str:
    from urllib.parse import urljoin

    try:
        return urljoin(url, location[:8192])
    except ValueError:  # brackets that never close
        return ""
