"""Any stretch of a store, reduced to as many slices as a chart can show; blocks, briefly."""

import os
import sqlite3
from urllib.parse import quote

from tokentop.domain.history import Sample
from tokentop.domain.past import Past, PastError, Stretch
from tokentop.transport.history.schema import FIGURES, TIERS, VERSION, Tier, columns, version
from tokentop.transport.history.store import is_damage

_BUSY_S = 0.5


def read(path: str, stretch: Stretch, now: float) -> Past:
    """The stretch from the coarsest table that is fine enough; `now` is Unix seconds.

    Raises PastError where the store cannot be read. One that does not exist is an empty past. The
    writer is never in the way, nor are we in its.
    """
    if not os.path.exists(path):
        return Past()
    try:
        connection = sqlite3.connect(
            f"file:{quote(path)}?mode=ro", uri=True, timeout=_BUSY_S, isolation_level=None
        )
    except sqlite3.Error as error:
        raise _unreadable(error) from None
    try:
        return _read(connection, stretch, now)
    except sqlite3.Error as error:
        raise _unreadable(error) from None
    finally:
        connection.close()


def _read(connection: sqlite3.Connection, stretch: Stretch, now: float) -> Past:
    found = version(connection)
    if found == 0:
        return Past()  # its writer is about to make the tables
    if found != VERSION:
        age = "newer" if found > VERSION else "older"
        raise PastError(f"The history is of {'a' if age == 'newer' else 'an'} {age} version.")
    first, last = round(stretch.start * 1000), round(stretch.end * 1000)
    width = max(1, round(stretch.slice_s * 1000))
    rows = connection.execute(_query(tier_for(stretch, now)), (first, last, first, width))
    return _past(rows.fetchall())


def tier_for(stretch: Stretch, now: float) -> Tier:
    """The coarsest tier with a row in every slice, of those that reach back far enough."""
    reaching = [tier for tier in TIERS if stretch.start >= now - tier.keep_s] or [TIERS[-1]]
    fine = [tier for tier in reaching if tier.step_s <= stretch.slice_s]
    return fine[-1] if fine else reaching[0]


def _query(tier: Tier) -> str:
    each = [*columns(tier, "min"), *columns(tier, "avg"), *columns(tier, "max")]
    return (
        f"SELECT min(t) / 1000.0, {', '.join(each)} FROM {tier.table} "
        "WHERE t >= ? AND t <= ? GROUP BY (t - ?) / ? ORDER BY 1"
    )


def _past(rows: list[tuple[float | None, ...]]) -> Past:
    count = len(FIGURES)
    thirds = (
        tuple(Sample(row[0], *row[start : start + count]) for row in rows)  # type: ignore[arg-type]
        for start in range(1, 3 * count, count)
    )
    return Past(*thirds)


def _unreadable(error: sqlite3.Error) -> PastError:
    why = "it is damaged" if is_damage(error) else str(error)
    return PastError(f"The history cannot be read: {why}.")
