"""What one call of a one-shot view leaves for the next: counters, tiers, who was seen.

With it two calls in a row say what the app would say of the same readings: rates have a
baseline, a tier comes down as slowly, and an engine that vanished is missed. A program that stays
leaves the same (runtime/state_timer.py).
"""

from collections.abc import Mapping
from time import time

from tokentop.config.schema import Config
from tokentop.transport.user_cache import digest, keep, prune, recall

KEPT_S = 600.0
_NAME = "state-"


def recall_state(config: Config) -> dict[str, object]:
    """What the last call with the same addresses left; empty where that was long ago."""
    state = recall(_name(config), KEPT_S, time())
    return state if isinstance(state, dict) else {}


def without_refusals(state: Mapping[str, object]) -> dict[str, object]:
    """The same without what was answered lately, for who wants to know how it is now."""
    return {**state, "asked": {}, "engines": _each_engine(state, refused={})}


def keep_state(config: Config, state: Mapping[str, object]) -> None:
    """Leave `state`, plain JSON values; without the engines' counters where it is too large."""
    now = time()
    keep(_name(config), state, now) or keep(_name(config), _without_counters(state), now)
    prune(_NAME, now - KEPT_S)


def _without_counters(state: Mapping[str, object]) -> dict[str, object]:
    return {**state, "engines": _each_engine(state, rates=None)}


def _each_engine(state: Mapping[str, object], **replaced: object) -> dict[str, object]:
    engines = state.get("engines")
    rows = engines.items() if isinstance(engines, dict) else ()
    return {name: {**row, **replaced} for name, row in rows if isinstance(row, dict)}


def _name(config: Config) -> str:
    """Tells configurations apart by whom they ask."""
    asked = (
        [(one.name, one.url, one.enabled) for one in config.services],
        [(one.name, one.url) for one in config.engines],
        [(name, one.url) for name, one in config.offers.configured().items()],
        config.prometheus.url,
        config.discovery,
    )
    return _NAME + digest(asked)
