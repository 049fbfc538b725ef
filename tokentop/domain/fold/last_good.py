"""The last-good cache: per endpoint the last good reading, its time, and the latest outcome.

A field that an answer marks as bad keeps its last good value, also inside devices, instances and
offers; a GPU that is lost keeps its last good figures with their age. A reading without a single
GPU that answers is no good one, whatever else it says.
"""

from collections.abc import Mapping

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
from tokentop.light_typing import Any, Literal
from tokentop.named_tuple import NamedTuple

Item = DeviceReading | InstanceReading | Offer

_UNREAD = "stale"  # not read yet, while the driver is slow
_SILENT_STATES = ("lost", "error", _UNREAD)  # without figures of now
# Fields of a GPU that never change; the others of a suspended GPU are unknown, not stale.
_IDENTITY = ("index", "uuid", "name", "vram_total_bytes", "memory_shared", "slowdown_c")
FIGURES = (  # what moves
    "vram_used_bytes",
    "utilization",
    "temperature_c",
    "power_w",
    "power_limit_w",
    "processes",
)


class LastGood(NamedTuple):
    """What is known of one endpoint; times are monotonic seconds, `seen` is (device key, time).

    `outcome` is that of the latest poll: "ok", its Failure, or None before the first. Between two
    polls lie `pause_s` more than an interval.
    """

    good: Reading | None = None
    good_at: float | None = None
    outcome: Literal["ok"] | Failure | None = None
    latency_s: float | None = None
    backing_off: bool = False
    seen: tuple[tuple[str, float], ...] = ()
    pause_s: float = 0.0


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
            new = old._replace(good=good, seen=_seen(good, old, now))
            if not _all_silent(good):
                new = new._replace(good_at=_newest(good, now), outcome="ok")
            elif (failure := _failure_of_all(good)) is not None:
                new = new._replace(outcome=failure)
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
        part = "" if item.mig is None else f"{item.mig} {item.mig_slot}"
        keys.append(f"index {item.node or ''} {part} {item.index}")
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
            return (*item.bad, *_IDENTITY, *FIGURES)
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
    """When each device last gave figures: with this answer, unless it gave none."""
    if not isinstance(good, GpusReading):
        return ()
    seen = dict(old.seen)
    figures = {}
    for device in good.devices:
        at = seen.get(device_key(device)) if _is_silent(device) else now - (device.age_s or 0.0)
        if at is not None:
            figures[device_key(device)] = at
    return tuple(figures.items())


def _is_silent(device: DeviceReading) -> bool:
    return device.state in _SILENT_STATES


def _newest(good: Reading, now: float) -> float:
    """When the newest figure of a reading is from."""
    devices = good.devices if isinstance(good, GpusReading) else ()
    ages = [device.age_s or 0.0 for device in devices if not _is_silent(device)]
    return now - min(ages, default=0.0)


def _all_silent(good: Reading) -> bool:
    devices = good.devices if isinstance(good, GpusReading) else ()
    return bool(devices) and all(map(_is_silent, devices))


def _failure_of_all(good: Reading) -> Failure | None:
    """Why no GPU gave a figure, in the words of the first; None while one is still to be read."""
    devices = good.devices if isinstance(good, GpusReading) else ()
    if any(device.state == _UNREAD for device in devices):
        return None
    wholes = [device for device in devices if device.mig is None] or list(devices)
    who = "the GPU fails" if len(wholes) == 1 else f"all {len(wholes)} GPUs fail"
    return Failure("gpu-lost", f"{who}: {wholes[0].note or wholes[0].state}")
