"""What a client accepts: encodings, formats, and the version that it has already."""

import re

_OPENMETRICS = "application/openmetrics-text"
_QUALITY = re.compile(r"q=([01](?:\.[0-9]{0,3})?)$")


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether gzip is asked for, by its name."""
    return _qualities(accept_encoding).get("gzip", 0.0) > 0.0


def prefers_openmetrics(accept: str) -> bool:
    """Whether OpenMetrics is asked for by its name, and plain text no more than that."""
    wanted = _qualities(accept)
    return wanted.get(_OPENMETRICS, 0.0) > 0.0 and wanted[_OPENMETRICS] >= wanted.get(
        "text/plain", 0.0
    )


def is_current(if_none_match: str | None, etag: str) -> bool:
    """Whether the client has this version; compared weakly, as RFC 9110 has it for GET."""
    if if_none_match is None:
        return False
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in known or etag.removeprefix("W/") in known


def _qualities(header: str) -> dict[str, float]:
    """The best quality of each name in an Accept header, in lower case."""
    found: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        given = [match for text in parameters if (match := _QUALITY.match(text))]
        quality = float(given[0][1]) if given else 1.0
        found[name] = max(quality, found.get(name, 0.0))
    return found
