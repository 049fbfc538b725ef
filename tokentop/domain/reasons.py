"""Why a source gave no answer: the public `reason` of services and engines."""

from tokentop.light_typing import Literal

FailureKind = Literal[
    "refused",  # nothing listens there
    "unreachable",
    "no-such-host",
    "no-route",
    "timeout",
    "tls",
    "tls-expired",
    "reset",  # closed or reset in the middle of an answer
    "too-large",
    "redirect",
    "auth",  # 401 or 403 without a token of ours
    "token-refused",  # 401 or 403 to a token of ours
    "not-found",  # 404
    "http",  # any other status than 2xx
    "server-error",  # 5xx
    "bad-data",  # answered, but not with what the endpoint should return
    "driver",  # NVML refused
    "gpu-lost",  # NVML answers, and every GPU is lost or in error
    "absent",  # nothing to ask: no NVML library, no driver
    "our-limit",  # this program or machine could not ask, or not read the answer, in time
]

MEND_SLOW_DRIVER = "persistence mode (nvidia-smi -pm 1) keeps it loaded between two programs"

UNREACHABLE: tuple[FailureKind, ...] = ("refused", "unreachable", "no-such-host", "no-route")
AUTH: tuple[FailureKind, ...] = ("auth", "token-refused")
