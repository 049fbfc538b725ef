"""The simulated network for the pooled client."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tokentop.demo.answers import answer
from tokentop.demo.stack import simulate

if TYPE_CHECKING:
    import httpx


def pooled_transport(clock: Callable[[], float], seed: int = 0) -> "httpx.AsyncBaseTransport":
    """An httpx transport that asks nobody; it raises ConnectError where nobody listens."""
    import httpx  # not above: the one-line view imports this package and must not pay for httpx

    def handle(request: httpx.Request) -> httpx.Response:
        said = answer(request.url.path, simulate(clock(), seed))
        if said is None:
            raise httpx.ConnectError("nobody listens") from ConnectionRefusedError()
        kind = {"content-type": "application/json"}
        return httpx.Response(said.status, headers=kind, stream=httpx.ByteStream(said.body))

    return httpx.MockTransport(handle)
