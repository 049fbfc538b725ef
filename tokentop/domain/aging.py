"""A snapshot of another process, some time after it was made: its ages have gone on."""

from tokentop.domain.snapshot import Snapshot
from tokentop.light_typing import Any, TypeVar

Row = TypeVar("Row")
_AGES = ("age_s", "data_age_s")


def aged(snapshot: Snapshot, passed_s: float) -> Snapshot:
    """Every age in it is so many seconds more; what is unknown stays so."""
    return _aged(snapshot, passed_s) if passed_s > 0 else snapshot


def silent(snapshot: Snapshot, why: str) -> Snapshot:
    """What is known of it is stale, for whoever makes it is not heard; `why` is a sentence."""
    parts: dict[str, Any] = snapshot._asdict()
    stale = {
        name: part._replace(stale=True)
        for name, part in parts.items()
        if getattr(part, "age_s", None) is not None and hasattr(part, "stale")
    }
    gpus = tuple(gpu._replace(state="stale") if gpu.state == "ok" else gpu for gpu in snapshot.gpus)
    demand = stale.get("demand", snapshot.demand)._replace(headline=why)
    return snapshot._replace(**{**stale, "gpus": gpus, "demand": demand})


def _aged(row: Row, passed_s: float) -> Row:
    fields: tuple[str, ...] = row._fields  # type: ignore[attr-defined]  # a named tuple
    changed: dict[str, Any] = {}
    for name in fields:
        value = getattr(row, name)
        if name in _AGES:
            changed[name] = None if value is None else value + passed_s
        elif isinstance(value, tuple) and value:
            changed[name] = _part(value, passed_s)
    return row._replace(**changed) if changed else row  # type: ignore[attr-defined]


def _part(value: tuple[Any, ...], passed_s: float) -> Any:
    if hasattr(value, "_fields"):
        return _aged(value, passed_s)
    return tuple(_aged(each, passed_s) if hasattr(each, "_fields") else each for each in value)
