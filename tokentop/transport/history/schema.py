"""The store's tables, and how a store of an older version becomes one of today's.

Times are Unix milliseconds. A figure that was unknown is NULL, never 0.
"""

import sqlite3
from collections.abc import Sequence

from tokentop.named_tuple import NamedTuple

APPLICATION_ID = 0x746F6B74  # "tokt", so that `file` and we know the file as ours
DAY_S = 86_400.0

# The figures of version 1, by their names in domain/history.py's Sample. A figure that is new
# there is a column added by a migration of its own.
_V1 = (
    "utilization", "multiplier", "queued", "vram_fraction", "gpu_utilization", "power_w",
    "temperature_c", "tokens_per_s", "ttft_p95_s", "kv_cache", "usd_per_hour",
)  # fmt: skip
FIGURES = _V1


class Tier(NamedTuple):
    """One table: a row every `step_s` seconds (0: every poll), kept for `keep_s` seconds."""

    table: str
    step_s: float
    keep_s: float


SAMPLES = Tier("sample", 0.0, DAY_S)
MINUTES = Tier("minute", 60.0, 30 * DAY_S)
HOURS = Tier("hour", 3600.0, 731 * DAY_S)
TIERS = (SAMPLES, MINUTES, HOURS)


def columns(tier: Tier, aggregate: str) -> list[str]:
    """The SQL of `aggregate` (min, avg or max) of every figure over rows of a tier's table."""
    suffix = "" if tier is SAMPLES else f"_{aggregate}"
    return [f"{aggregate}({name}{suffix})" for name in FIGURES]


def _summary(table: str) -> str:
    each = (f"{name}_{kind} REAL" for name in _V1 for kind in ("min", "avg", "max"))
    return f"CREATE TABLE {table} (t INTEGER PRIMARY KEY, {', '.join(each)})"


# MIGRATIONS[n] makes version n + 1 of version n; one that was released is never changed.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        f"CREATE TABLE sample (t INTEGER PRIMARY KEY, {', '.join(f'{n} REAL' for n in _V1)})",
        _summary("minute"),
        _summary("hour"),
    ),
)
VERSION = len(MIGRATIONS)


def version(connection: sqlite3.Connection) -> int:
    """The version of the tables; 0 for an empty file."""
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


def migrate(
    connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS
) -> None:
    """Bring the tables forward, one transaction a version: what is interrupted begins again."""
    for number in range(version(connection), len(migrations)):
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement in migrations[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
