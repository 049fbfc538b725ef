"""Why a source is silent, in the one or two words that a strip has room for."""

import re

from tokentop.domain.text import clean

_LONGEST = 40
# What the sentences of failures say, and the short word for each; the first that is found counts.
_REASONS = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (r"nothing listens|[Nn]obody listens", "refused"),
        (r"no complete answer|did not answer within|nothing came within", "timeout"),
        (r"certificate.* expired", "TLS expired"),
        (r"certificate|TLS|self-signed", "TLS failed"),
        (r"refused the token", "token refused"),
        (r"wants a token", "needs a token"),
        (r"no such path \(404\)", "HTTP 404"),
        (r"answered (\d{3})\b", r"HTTP \1"),
        (r"name in .* was not found", "no such host"),
        (r"no route", "no route"),
        (r"cannot be reached", "unreachable"),
        (r"closed the connection", "cut off"),
        (r"redirects|leads from one", "redirects"),
        (r"larger than|headers without end", "too large"),
        (r"unusable values in ([^;()]+)", r"bad \1"),
        (r"nothing usable|no JSON|not JSON|JSON", "bad data"),
    )
)


def short(error: str | None) -> str:
    """A failure's sentence as `refused`, `timeout`, `TLS expired`, `HTTP 500`; else its start."""
    if not error:
        return ""
    text = clean(error, 300)
    for pattern, word in _REASONS:
        if found := pattern.search(text):
            return found.expand(word).strip()
    return clean(text.partition(";")[0].partition(" (")[0], _LONGEST)
