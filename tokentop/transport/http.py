"""One GET's rules, shared by both transports: time, size, TLS, auth, redirects."""

from typing import NamedTuple

from tokentop.secret import Secret


class Request(NamedTuple):
    """One GET. `url` may hold secrets (user info, query): show `safe_url(url)` only.

    `timeout_s` bounds the whole exchange, name resolution and TLS included; `max_bytes` the body.
    A token goes to the URL's own origin only.
    """

    url: str
    timeout_s: float = 2.5
    max_bytes: int = 2 * 1024 * 1024
    token: Secret | None = None
    ca_bundle: str | None = None
    verify: bool = True


class Reply(NamedTuple):
    """A 2xx answer, read to its end within the limits."""

    status: int
    body: bytes
    content_type: str = ""
    server: str = ""
    latency_s: float = 0.0
