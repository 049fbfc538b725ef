"""The last-good cache: per endpoint the last good reading, its time, and the latest outcome.

A field that an answer marks as bad keeps its last good value, also inside devices, instances and
offers; a GPU that is lost keeps its last good figures with their age.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from tokentop.domain.readings import (
    DeviceReading,
    Failure,
    GpusReading,
    InstanceReading,
    InstancesReading,
    Offer,
    OffersReading,
    Reading,
)

Item = DeviceReading | InstanceReading | Offer

_SILENT_STATES = ("lost", "error")
# Fields of a GPU that never change; the others of a suspended GPU are unknown, not stale.
_IDENTITY = ("index", "uuid", "name", "vram_total_bytes", "memory_shared")
_FIGURES = (*_IDENTITY, "vram_used_bytes", "utilization", "temperature_c", "power_w")


class LastGood(NamedTuple):
    """What is known of one endpoint; times are monotonic seconds, `seen` is (device key, time).

    `outcome` is that of the latest poll: "ok", its Failure, or None before the first.
    """

    good: Reading | None = None
    good_at: float | None = None
    outcome: Literal["ok"] | Failure | None = None
    latency_s: float | None = None
    backing_off: bool = False
    seen: tuple[tuple[str, float], ...] = ()


NEVER = LastGood()


class LastGoodCache:
    """Takes the result of every poll, by key."""

    def __init__(self) -> None:
        self._held: dict[str, LastGood] = {}

    def held(self, key: str) -> LastGood:
        return self._held.get(key, NEVER)

    def all(self) -> Mapping[str, LastGood]:
        """Everything held, by key; a copy that later polls leave alone."""
        return dict(self._held)

    def restore(self, held: Mapping[str, LastGood]) -> None:
        """Restore an earlier call's readings for endpoints that this call has not polled."""
        self._held = {**held, **self._held}

    def set_backing_off(self, key: str, backing_off: bool) -> None:
        self._held[key] = self.held(key)._replace(backing_off=backing_off)

    def record(
        self, key: str, result: Reading | Failure, now: float, latency_s: float | None
    ) -> None:
        """Take one poll's result; a failure leaves the last good reading where it is."""
        old = self.held(key)
        if not isinstance(result, Failure) and _says_nothing(result):
            result = Failure("bad-data", f"nothing usable in {listed(bad_fields(result))}", True)
        if isinstance(result, Failure):
            new = old._replace(outcome=result)
        else:
            good = merged(result, old.good)
            new = old._replace(good=good, good_at=now, outcome="ok", seen=_seen(good, old, now))
        self._held[key] = new._replace(latency_s=latency_s)


def merged(new: Reading, old: Reading | None) -> Reading:
    """`new`, with the fields it marks as bad taken from `old` where they are unknown."""
    if isinstance(new, GpusReading) and isinstance(old, GpusReading):
        new = new._replace(devices=_merged_items(new.devices, old.devices))
    elif isinstance(new, InstancesReading) and isinstance(old, InstancesReading):
        new = new._replace(instances=_merged_items(new.instances, old.instances))
    elif isinstance(new, OffersReading) and isinstance(old, OffersReading):
        new = new._replace(offers=_merged_items(new.offers, old.offers))
    return _filled(new, old, new.bad) if type(new) is type(old) and new.bad else new


def bad_fields(reading: Reading) -> tuple[str, ...]:
    """The names of all fields an answer held in an unusable form, those of its items included."""
    names = dict.fromkeys(reading.bad)
    for item in _items(reading):
        names.update(dict.fromkeys(item.bad))
    return tuple(names)


def item_keys(item: Item) -> tuple[str, ...]:
    """The key that identifies one item of a list, the surest first: UUID, node and index, id."""
    if not isinstance(item, DeviceReading):
        return () if item.id is None else (f"id {item.id}",)
    keys = []
    if item.uuid is not None:
        keys.append(f"uuid {plain_uuid(item.uuid)}")
    if item.index is not None:
        keys.append(f"index {item.node or ''} {item.mig or ''} {item.index}")
    return tuple(keys)


def plain_uuid(uuid: str) -> str:
    """A UUID as it compares: some services drop NVML's "GPU-" or change its case."""
    return uuid.casefold().removeprefix("gpu-")


def device_key(device: DeviceReading) -> str:
    """The surest key of a device; empty where it has none."""
    return next(iter(item_keys(device)), "")


def _items(reading: Reading) -> tuple[Item, ...]:
    if isinstance(reading, GpusReading):
        return reading.devices
    if isinstance(reading, InstancesReading):
        return reading.instances
    return reading.offers if isinstance(reading, OffersReading) else ()


def _merged_items(new: tuple[Any, ...], old: tuple[Any, ...]) -> tuple[Any, ...]:
    known: dict[str, Any] = {}
    for item in old:
        for key in item_keys(item):
            known.setdefault(key, item)
    by_place = old if len(new) == len(old) else (None,) * len(new)
    return tuple(
        _filled(item, _earlier(item, known, at_place), fields) if (fields := _kept(item)) else item
        for item, at_place in zip(new, by_place, strict=True)
    )


def _earlier(item: Item, known: Mapping[str, Any], at_place: Any) -> Any:
    """The same thing in the answer before; by its place only where its very name is unusable."""
    for key in item_keys(item):
        if (found := known.get(key)) is not None and not _differ(item, found):
            return found
    return at_place if {"uuid", "index", "id"} & set(item.bad) else None


def _differ(item: Item, other: Item) -> bool:
    if not isinstance(item, DeviceReading) or not isinstance(other, DeviceReading):
        return False
    if item.uuid is None or other.uuid is None:
        return False
    return plain_uuid(item.uuid) != plain_uuid(other.uuid)


def _kept(item: Item) -> tuple[str, ...]:
    """The fields an item may take from its earlier self."""
    if isinstance(item, DeviceReading):
        if item.state in _SILENT_STATES:
            return (*item.bad, *_FIGURES)
        if item.state == "suspended":
            return (*item.bad, *_IDENTITY)
    return item.bad


def _filled(new: Any, old: Any, fields: tuple[str, ...]) -> Any:
    if old is None or not fields:
        return new
    missing = [
        name for name in fields if name == "memory_shared" or _unknown(getattr(new, name, 0))
    ]
    return new._replace(**{name: getattr(old, name) for name in missing})


def _unknown(value: object) -> bool:
    return value is None or value == ()


def _says_nothing(reading: Reading) -> bool:
    """True where every field the answer did hold was unusable."""
    values = zip(reading._fields, reading, strict=True)
    return bool(reading.bad) and all(name == "bad" or _unknown(value) for name, value in values)


def listed(names: tuple[str, ...]) -> str:
    """At most three names, for a sentence."""
    return ", ".join(names[:3]) + (" and more" if len(names) > 3 else "")


def _seen(good: Reading, old: LastGood, now: float) -> tuple[tuple[str, float], ...]:
    """When each device last gave figures: now, unless it is lost."""
    if not isinstance(good, GpusReading):
        return ()
    seen = dict(old.seen)
    figures = {}
    for device in good.devices:
        at = seen.get(device_key(device)) if device.state in _SILENT_STATES else now
        if at is not None:
            figures[device_key(device)] = at
    return tuple(figures.items())
