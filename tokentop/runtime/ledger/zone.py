"""Where the ledger's days and months begin."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from tokentop.config.schema import LedgerConfig

LOCAL = "/etc/localtime"


def zone(config: LedgerConfig, environ: Mapping[str, str]) -> tzinfo:
    """The configured time zone, else $TZ's, else the machine's, else UTC."""
    return _zone(config.time_zone, environ.get("TZ", "").removeprefix(":"))


@cache
def _zone(*names: str | None) -> tzinfo:
    for name in filter(None, names):
        with suppress(ValueError, OSError, KeyError):  # KeyError: there is no such zone
            return ZoneInfo(name)
    with suppress(ValueError, OSError), open(LOCAL, "rb") as file:
        return ZoneInfo.from_file(file)
    return UTC
