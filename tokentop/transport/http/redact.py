"""A server that echoes the token it was sent: the token is replaced before anything is kept."""

from tokentop.domain.readings import Failure
from tokentop.domain.urls import split
from tokentop.transport.http.messages import Reply, Request

HIDDEN = "[secret]"
SHORTEST = 6  # what is shorter is found by chance


def without_secrets(result: Reply | Failure, request: Request) -> Reply | Failure:
    """The same answer without the request's token and password, plain or as JSON writes them."""
    if not isinstance(result, Reply):
        return result
    for secret in _secrets(request):
        for written in dict.fromkeys((secret, secret.replace("/", "\\/"))):
            result = result._replace(
                body=result.body.replace(written.encode(), HIDDEN.encode()),
                content_type=result.content_type.replace(written, HIDDEN),
                server=result.server.replace(written, HIDDEN),
            )
    return result


def _secrets(request: Request) -> list[str]:
    target = split(request.url)
    password = target.userinfo.partition(":")[2] if target is not None else ""
    both = (request.token.reveal() if request.token is not None else "", password)
    return [secret for secret in both if len(secret) >= SHORTEST]
