"""A reading made safe to keep: texts cut and without what a terminal obeys, lists cut short.

The one gate for what engines name: whatever file read it, through here it goes.
"""

from tokentop.domain.engines.readings import EngineReading, TeamSpend
from tokentop.domain.text import clean, clean_name
from tokentop.light_typing import TypeVar

MAX_NAMES = 256
SENTENCE = 512

T = TypeVar("T")


def bounded(reading: EngineReading) -> EngineReading:
    """The same reading; `names_more` counts the models left out."""
    models, more = _models(reading)
    return reading._replace(
        version=_name(reading.version),
        model=_name(reading.model),
        models=models,
        names_more=more,
        slots=None if reading.slots is None else reading.slots[:MAX_NAMES],
        backends=tuple(map(clean_name, reading.backends[:MAX_NAMES])),
        spend=tuple(map(_spend, reading.spend[:MAX_NAMES])),
        advice=None if reading.advice is None else clean(reading.advice, SENTENCE),
        aliases=tuple(map(clean_name, reading.aliases[:MAX_NAMES])),
        adapters=tuple(map(clean_name, reading.adapters[:MAX_NAMES])),
        bad=tuple(map(clean, reading.bad[:MAX_NAMES])),
    )


def _models(reading: EngineReading) -> tuple[tuple[str, ...] | None, int]:
    named = reading.models
    if named is None:
        return None, reading.names_more
    kept = tuple(dict.fromkeys(name for each in named[:MAX_NAMES] if (name := clean_name(each))))
    return kept, reading.names_more + max(0, len(named) - MAX_NAMES)


def _spend(account: TeamSpend) -> TeamSpend:
    return account._replace(team=clean_name(account.team), key=clean_name(account.key))


def _name(text: str | None) -> str | None:
    return None if text is None else clean_name(text) or None
