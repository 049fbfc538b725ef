"""What to do about each kind of failure, as a table; no I/O."""

from tokentop.domain.readings import Failure
from tokentop.domain.reasons import FailureKind

_ADVICE: dict[FailureKind, str] = {
    "refused": "start {service}, or set where it listens: {env}=URL or [services.{service}] url",
    "unreachable": "check the host name and the network: {env} or [services.{service}] url",
    "no-such-host": "check the host name: {env} or [services.{service}] url",
    "no-route": "check the network: {env} or [services.{service}] url",
    "timeout": "it is up but slow, or a firewall drops packets; a larger `timeout` gives it time",
    "tls": "check the scheme (http or https) and the private CA: AITHER_CA_BUNDLE or"
    " [tls] ca_bundle; for a test only, AITHER_TLS_VERIFY=false",
    "tls-expired": "renew the certificate of {service}",
    "reset": "something closed the connection: see {service}'s log, and whether the URL's scheme"
    " (http or https) is right",
    "too-large": "this is not the endpoint we expect; set its path in [services.{service}.paths]",
    "redirect": "configure the address it redirects to: {env} or [services.{service}] url",
    "auth": "give a token: token_env or token_file in [services.{service}]",
    "token-refused": "check what token_env or token_file in [services.{service}] holds",
    "not-found": "{service} has no such endpoint; set another path in [services.{service}.paths],"
    " or leave it: the rest works without",
    "http": "see {service}'s log; another path can be set in [services.{service}.paths]",
    "server-error": "see {service}'s log",
    "our-limit": "tokentop, or this machine, ran into a limit of its own: see `ulimit -n` and its"
    " load",
    "bad-data": "it answers in another shape than expected; is this {service}, and the right path?",
}
_ABSENT = "if this machine has an NVIDIA GPU, install its driver (nvidia-smi should then work)"


def for_service(failure: Failure, service: str, env: str) -> str | None:
    """Return what to do about an endpoint's failure; `env` is the variable of its base URL."""
    words = _ADVICE.get(failure.kind)
    return None if words is None else words.format(service=service, env=env)


def for_gpus(failure: Failure) -> str | None:
    """Return what to do about the driver's failure, unless its own text already does."""
    return _ABSENT if failure.kind == "absent" and "install" not in failure.text else None
