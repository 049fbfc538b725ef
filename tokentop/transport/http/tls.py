"""TLS contexts, made once per CA bundle; `ssl` is imported when the first https URL is asked."""

import os
import stat
import threading
from collections.abc import Iterable
from contextlib import suppress

from tokentop.light_typing import TYPE_CHECKING
from tokentop.transport.http.failures import fail

if TYPE_CHECKING:
    from ssl import SSLContext

_contexts: dict[tuple[str | None, bool, int], "SSLContext"] = {}
_lock = threading.Lock()


def load_beforehand(urls: Iterable[str | None]) -> None:
    """Import now what TLS to these URLs needs: beside the driver's library it may not load."""
    if any(url is not None and url.startswith("https:") for url in urls):
        for name in ("ssl", "encodings.idna"):
            with suppress(ImportError):  # said of what is asked
                __import__(name)


def context_for(ca_bundle: str | None, verify: bool) -> "SSLContext":
    """The context for a CA bundle (None: the system's); a replaced file is read anew.

    Raises RequestFailed with a `tls` failure where the bundle cannot be used.
    """
    if not verify:
        ca_bundle = None
    key = (ca_bundle, verify, _stamp(ca_bundle))
    with _lock:  # a cold start asks from many threads at once
        context = _contexts.get(key)
        if context is None:
            context = _contexts[key] = _made(ca_bundle, verify)
    return context


def _stamp(ca_bundle: str | None) -> int:
    if ca_bundle is None:
        return 0
    try:
        found = os.stat(ca_bundle)
    except (OSError, ValueError):
        fail("tls", "the CA bundle cannot be read: check ca_bundle and AITHER_CA_BUNDLE")
    if not stat.S_ISREG(found.st_mode):  # OpenSSL would wait for a pipe
        fail("tls", "the CA bundle is no regular file: check ca_bundle and AITHER_CA_BUNDLE")
    return found.st_mtime_ns


def _made(ca_bundle: str | None, verify: bool) -> "SSLContext":
    try:
        import ssl
    except ImportError:
        fail("tls", "Python's ssl module is lacking, or cannot be loaded now: see tokentop doctor")
    if not verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        context = ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        fail("tls", "the CA bundle holds no usable certificate: check ca_bundle")
    if ca_bundle is not None:
        # Python 3.13 began to refuse private CAs that lack an extension or two; a bundle the user
        # names is trusted as it is, in every Python alike.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
