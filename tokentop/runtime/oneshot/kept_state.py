"""What one call of a one-shot view leaves for the next: counters, tiers, who was seen.

With it two calls in a row say what the app would say of the same readings: rates have a
baseline, a tier comes down as slowly, and an engine that vanished is missed.
"""

from collections.abc import Mapping
from time import time
from zlib import crc32

from tokentop.config.schema import Config
from tokentop.transport.user_cache import keep, recall

NAME = "state"
KEPT_S = 600.0
MAX_CONFIGURATIONS = 8  # a status bar for each of a few machines


def recall_state(config: Config) -> dict[str, object]:
    """What the last call with the same addresses left; empty where that was long ago."""
    kept = _kept().get(_key(config))
    state = kept.get("state") if isinstance(kept, dict) else None
    return state if isinstance(state, dict) else {}


def without_refusals(state: Mapping[str, object]) -> dict[str, object]:
    """The same without what was answered lately, for who wants to know how it is now."""
    engines = state.get("engines")
    rows = engines.items() if isinstance(engines, dict) else ()
    afresh = {name: {**row, "refused": {}} for name, row in rows if isinstance(row, dict)}
    return {**state, "asked": {}, "engines": afresh}


def keep_state(config: Config, state: dict[str, object]) -> None:
    """Leave `state`, plain JSON values, beside what calls for other addresses left."""
    now = time()
    rows = {name: row for name, row in _kept().items() if _at(row, now) is not None}
    rows[_key(config)] = {"at": now, "state": state}
    newest = sorted(rows, key=lambda name: _at(rows[name], now) or 0.0)[-MAX_CONFIGURATIONS:]
    keep(NAME, {name: rows[name] for name in newest}, now)


def _kept() -> dict[str, object]:
    document = recall(NAME, KEPT_S, time())
    return document if isinstance(document, dict) else {}


def _at(row: object, now: float) -> float | None:
    at = row.get("at") if isinstance(row, dict) else None
    return float(at) if isinstance(at, int | float) and 0 <= now - at <= KEPT_S else None


def _key(config: Config) -> str:
    """Tells configurations apart by whom they ask."""
    asked = (
        [(one.name, one.url, one.enabled) for one in config.services],
        [(one.name, one.url) for one in config.engines],
        [(name, one.url) for name, one in config.offers.configured().items()],
        config.prometheus.url,
        config.discovery,
    )
    return f"{crc32(repr(asked).encode()):08x}"
