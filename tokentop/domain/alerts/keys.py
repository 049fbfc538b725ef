"""The keys of the snapshot by their JSON names (`gpus[].power_w`), and their values."""

from collections.abc import Iterable, Iterator
from functools import cache

from tokentop.domain.snapshot import CloudInstance, Gpu, Service, Snapshot
from tokentop.domain.snapshot_engines import SILENT_STATES, Engine
from tokentop.domain.snapshot_ledger import Budget, Flag, LedgerFigures, Project
from tokentop.domain.verdict.values import Pool

# One item of each list, whose members are told apart by the field that is named last.
_LISTS: dict[str, tuple[object, str]] = {
    "services": (Service("", ""), "name"),
    "gpus": (Gpu(), "uuid"),
    "engines": (Engine("", ""), "id"),
    "demand.pools": (Pool(""), "model"),
    "cloud.instances": (CloudInstance(), "id"),
    "ledger.budgets": (Budget("", "project", "", "day", "usd", 0, 0), "name"),
    "ledger.projects": (Project("", 0), "name"),
    "ledger.flags": (Flag("", "task", "", ()), "id"),
}
_SILENT = (*SILENT_STATES, "lost", "error", "suspended")
_SKIPPED = ("services_online", "explained", "finished")  # pairs, words, totals


@cache
def keys() -> tuple[str, ...]:
    """Every key that a rule may name."""
    scalars = _leaves(Snapshot(ledger=LedgerFigures()), "")
    items = (key for name, (item, _) in _LISTS.items() for key in _leaves(item, f"{name}[]."))
    return (*scalars, *items)


def _leaves(row: object, prefix: str) -> Iterator[str]:
    """The fields of a named tuple, those of the tuples in it included, lists left out."""
    for name in row._fields:  # type: ignore[attr-defined]
        value, path = getattr(row, name), f"{prefix}{name}"
        if name in _SKIPPED or path in _LISTS:
            continue
        if hasattr(value, "_fields"):
            yield from _leaves(value, f"{path}.")
        else:
            yield path


def list_of(key: str) -> str | None:
    """The list that a key walks through; None for a key of the whole."""
    name, bracket, _ = key.partition("[]")
    return name if bracket else None


def members(snapshot: Snapshot, name: str) -> Iterator[tuple[str, object]]:
    """The items of a list with what tells them apart: an identity, else the place in the list."""
    rows = _field(snapshot, name.split("."))
    if not isinstance(rows, tuple):
        return
    for place, row in enumerate(rows):
        identity = getattr(row, _LISTS[name][1])
        yield str(place if identity is None else identity), row


def value(snapshot: Snapshot, item: object, key: str) -> object:
    """The value of a key, in `item` where the key walks through a list; None where unknown.

    A figure that is stale, or of a member that does not answer, is unknown; its age is not.
    """
    listed, section, leaf = _parts(key)
    holder = _field(item if listed else snapshot, section)
    found = getattr(holder, leaf, None)
    if not isinstance(found, int | float) or isinstance(found, bool) or leaf == "age_s":
        return found
    old = getattr(holder, "stale", False) or getattr(holder, "state", None) in _SILENT
    return None if old else found


@cache
def _parts(key: str) -> tuple[bool, tuple[str, ...], str]:
    """Whether a key walks through a list, the fields on the way to its own, and that field."""
    name, bracket, path = key.partition("[].")
    *section, leaf = (path if bracket else name).split(".")
    return bool(bracket), tuple(section), leaf


def _field(row: object, path: Iterable[str]) -> object:
    for name in path:
        row = getattr(row, name, None)
    return row


def shown_name(item: object) -> str:
    """A member in a word: `GPU 3`, an engine's model, a service's name."""
    if isinstance(item, Gpu):
        return f"GPU {item.index}" if item.index is not None else "GPU"
    if isinstance(item, Engine):
        return item.name or item.model or item.id
    found = getattr(item, "name", None) or getattr(item, "model", None) or getattr(item, "id", "")
    return str(found or "")
