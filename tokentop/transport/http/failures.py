"""What went wrong, in one safe sentence that says how to mend it. Nothing remote is quoted."""

import _socket as socket  # see steps.py
import errno

from tokentop.domain.readings import Failure
from tokentop.domain.reasons import FailureKind
from tokentop.domain.urls import origin
from tokentop.light_typing import NoReturn

UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN}

_EXPIRED = 10
# OpenSSL's X509_V_ERR_* numbers, which Python passes on as `verify_code`.
_CERTIFICATE = {
    9: "the certificate at {at} is not valid yet: check the clocks of both machines",
    _EXPIRED: "the certificate at {at} has expired: renew it there",
    18: "the certificate at {at} is self-signed: name it as ca_bundle",
    19: "the certificate at {at} comes from a private CA: name that CA as ca_bundle",
    20: "the certificate at {at} comes from an unknown CA: name that CA as ca_bundle",
    21: "the certificate at {at} comes from an unknown CA: name that CA as ca_bundle",
    62: "the certificate at {at} is for another host name: use the name it was issued for",
    64: "the certificate at {at} is for another address: use the name it was issued for",
}


class RequestFailed(Exception):
    """Ends an exchange with a Failure, from however deep inside it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


def fail(kind: FailureKind, text: str) -> NoReturn:
    """Raise RequestFailed with that failure."""
    raise RequestFailed(Failure(kind, text))


def failure_for_status(status: int, url: str, *, with_token: bool = False) -> Failure | None:
    """None for 2xx; 4xx is neutral, as a server is there."""
    if 200 <= status < 300:
        return None
    at = origin(url)
    if status in (401, 403):
        kind: FailureKind = "token-refused" if with_token else "auth"
        return Failure(kind, _auth_text(status, at, with_token), True, status)
    if status == 404:
        text = f"{at} has no such path (404): set it in the configuration if it is another here"
        return Failure("not-found", text, True, status)
    if status == 429:
        return Failure("http", f"{at} wants fewer requests (429)", True, status)
    kind = "server-error" if status >= 500 else "http"
    return Failure(kind, f"{at} answered {status}", 400 <= status < 500, status)


def _auth_text(status: int, at: str, with_token: bool) -> str:
    if with_token:
        return f"{at} refused the token ({status}): check what token_env or token_file holds"
    return f"{at} wants a token ({status}): set token_env or token_file for it"


def failure_for_exception(error: BaseException, url: str, timeout_s: float) -> Failure:
    """The failure behind an exception of a socket, of TLS, or of a library that wraps them."""
    at = origin(url)
    for cause in _causes(error):
        if isinstance(cause, RequestFailed):
            return cause.failure
        failure = _for_one(cause, at, timeout_s)
        if failure is not None:
            return failure
    return Failure("unreachable", f"{at} cannot be reached ({type(error).__name__})")


def timed_out(url: str, timeout_s: float) -> Failure:
    """No complete answer in time."""
    return Failure("timeout", f"{origin(url)} gave no complete answer within {timeout_s:g} s")


def our_limit(text: str) -> Failure:
    """A limit of this program or this machine was reached: it says nothing about the server."""
    return Failure("our-limit", text, neutral=True)


def _causes(error: BaseException) -> list[BaseException]:
    """The exception and what it was raised from, innermost first: that one says most."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting and len(seen) < 32:
        current = waiting.pop()
        if current is not None and current not in seen:
            seen.append(current)
            inner = current.exceptions if isinstance(current, BaseExceptionGroup) else ()
            waiting += [current.__cause__ or current.__context__, *inner]
    return seen[::-1]


def _for_one(error: BaseException, at: str, timeout_s: float) -> Failure | None:
    if isinstance(error, TimeoutError):
        return Failure("timeout", f"{at} gave no complete answer within {timeout_s:g} s")
    if isinstance(error, ConnectionRefusedError):
        return Failure("refused", f"nothing listens at {at}")
    if isinstance(error, ConnectionError):
        return Failure("reset", f"{at} closed the connection in the middle of an answer")
    if isinstance(error, socket.gaierror):
        text = f"the name in {at} was not found: check the address and the name server"
        return Failure("no-such-host", text)
    if not isinstance(error, OSError):
        return None
    if getattr(error, "library", None) is not None or "SSL" in type(error).__name__:
        return _for_tls(error, at)
    if error.errno in UNREACHABLE:
        return Failure("no-route", f"there is no route to {at}: check the network")
    return None


def _for_tls(error: OSError, at: str) -> Failure:
    """`error` is an ssl.SSLError, known by its attributes so that ssl need not be imported."""
    code = getattr(error, "verify_code", None)
    if code is not None:
        text = _CERTIFICATE.get(code, "the certificate at {at} cannot be verified")
        return Failure("tls-expired" if code == _EXPIRED else "tls", text.format(at=at))
    if type(error).__name__ == "SSLEOFError":
        return Failure("reset", f"{at} closed the connection during the TLS handshake")
    if getattr(error, "reason", None) in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return Failure("tls", f"{at} does not speak TLS: use http:// in its address")
    return Failure("tls", f"TLS with {at} failed")
