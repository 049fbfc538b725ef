"""Two snapshots -> the events between them."""

from collections.abc import Iterable, Iterator

from tokentop.domain.events.engines import engine_events
from tokentop.domain.events.ledger import ledger_events
from tokentop.domain.snapshot import Gpu, Service, Snapshot
from tokentop.domain.text import clean
from tokentop.domain.verdict.tiers import TIERS, tier_word
from tokentop.domain.verdict.values import Alert, Event, EventCode, Reason
from tokentop.domain.xid_words import xid_words

_LIMIT = 200  # characters of a text
XID_QUIET_S = 60.0  # a program that fails over and over repeats its Xid at every start
_GOOD_NEWS = ("_back", "_ready", "_resolved")
_SILENT = ("stale", "backing-off", "offline")
_OUT = ("lost", "error")
_FIRES = ("firing", "silenced")
_COUNTED: dict[str, EventCode] = {"rejections": "rejections", "preemptions": "preemptions"}
# These take speed away against the operator's will; other limits were set on purpose.
SLOWING = ("power-cap", "hw-slowdown", "hw-thermal", "sw-thermal", "power-brake")


def changes(before: Snapshot, after: Snapshot) -> tuple[Event, ...]:
    """What changed between two snapshots of one run, what went wrong before what recovered.

    What either snapshot does not know is no change: something that was never polled does not come
    back, and something that appears is not back either.
    """
    found = (
        *engine_events(before.engines, after.engines),
        *_gpus(before.gpus, after.gpus),
        *_services(before.services, after.services),
        *_reasons(before.demand.reasons, after.demand.reasons),
        *_tier(before, after),
        *_alerts(before, after),
        *ledger_events(before.ledger, after.ledger),
    )
    dated = (event._replace(text=clean(event.text, _LIMIT), at=after.at) for event in found)
    return tuple(sorted(dated, key=lambda event: event.code.endswith(_GOOD_NEWS)))


def _gpus(before: Iterable[Gpu], after: Iterable[Gpu]) -> Iterator[Event]:
    earlier = {_identity(gpu): gpu for gpu in before}
    for gpu in after:
        old = earlier.get(_identity(gpu))
        if old is not None:
            yield from _gpu(old, gpu)


def _identity(gpu: Gpu) -> str:
    """The UUID, else the place; a MIG instance without one is told apart by its slot."""
    return gpu.uuid or f"{gpu.node}/{gpu.index}/{gpu.mig_slot}"


def _gpu(old: Gpu, gpu: Gpu) -> Iterator[Event]:
    name, member = _gpu_name(gpu), _identity(gpu)
    if gpu.state in _OUT and old.state not in _OUT:
        why = f": {gpu.note}" if gpu.note else ""
        yield Event("gpu_lost", f"{name} is lost{why}", member)
    elif gpu.state == "ok" and old.state in _OUT:
        yield Event("gpu_back", f"{name} is back", member)
    yield from (Event("gpu_xid", f"{name}: {xid_words(code)}", member) for code in _xids(old, gpu))
    slowed = _slowing(gpu)
    if slowed and _slowing(old) == ():
        yield Event("gpu_throttled", f"{name} is throttled: {', '.join(slowed)}", member)


def _xids(old: Gpu, gpu: Gpu) -> Iterable[int]:
    """The codes that have come since, each once, the oldest first.

    The driver's errors are listed in order, and the oldest go: what both lists have is the end of
    one and the beginning of the other. One that repeats within XID_QUIET_S is no event again.
    """
    before, after = [x.code for x in old.xids], [x.code for x in gpu.xids]
    same = next(n for n in range(len(after), -1, -1) if after[:n] == before[len(before) - n :])
    lately = {x.code for x in old.xids if x.age_s < XID_QUIET_S}
    return dict.fromkeys(code for code in after[same:] if code not in lately)


def _gpu_name(gpu: Gpu) -> str:
    number = "" if gpu.index is None else f" {gpu.index}"
    return f"GPU{number} ({gpu.name})" if gpu.name else f"GPU{number}"


def _slowing(gpu: Gpu) -> tuple[str, ...] | None:
    """What holds its clocks down; None where the driver does not say."""
    if gpu.throttle is None:
        return None
    return tuple(reason for reason in gpu.throttle if reason in SLOWING)


def _services(before: Iterable[Service], after: Iterable[Service]) -> Iterator[Event]:
    earlier = {one.name: one for one in before if one.kind in ("aither", "nvml", "offers")}
    for one in after:
        old = earlier.get(one.name)
        if old is not None and _polled(old) and one.reason != "absent":
            yield from _service(old, one)


def _polled(one: Service) -> bool:
    """Whether it has answered or failed at least once."""
    return one.error is not None or one.age_s is not None


def _service(old: Service, one: Service) -> Iterator[Event]:
    driver = one.kind == "nvml"
    name = "the NVIDIA driver" if driver else one.name
    was, now = old.state in _SILENT, one.state in _SILENT
    if now and not was and old.state != "off":
        code: EventCode = "driver_silent" if driver else "service_down"
        yield Event(code, f"{name} does not answer" + (f": {one.error}" if one.error else ""),
                    one.name)  # fmt: skip
    elif was and one.state in ("online", "bad-data"):
        yield Event("driver_back" if driver else "service_back", f"{name} answers again", one.name)


def _reasons(before: Iterable[Reason], after: Iterable[Reason]) -> Iterator[Event]:
    """Refused and preempted requests, once for each time that they begin."""
    known = {(reason.code, reason.text) for reason in before}
    for reason in after:
        if reason.code in _COUNTED and (reason.code, reason.text) not in known:
            yield Event(_COUNTED[reason.code], reason.text, reason.member)


def changed_alerts(before: Iterable[Alert], after: Iterable[Alert]) -> Iterator[Alert]:
    """Alerts that have begun to fire, silenced ones too, and those that were resolved."""
    fired = {(one.name, one.member) for one in before if one.state in _FIRES}
    for one in after:
        known = (one.name, one.member) in fired
        if one.state == "resolved" if known else one.state in _FIRES:
            yield one


def _alerts(before: Snapshot, after: Snapshot) -> Iterator[Event]:
    for one in changed_alerts(before.alerts, after.alerts):
        if one.state == "resolved":
            yield Event("alert_resolved", f"alert {one.name} is resolved: {one.text}", one.member)
        else:
            yield Event("alert_firing", f"alert {one.name}: {one.text}", one.member)


def _tier(before: Snapshot, after: Snapshot) -> Iterator[Event]:
    old, new = before.demand.tier, after.demand.tier
    if old is None or new is None or old == new:
        return
    rose = TIERS.index(new) > TIERS.index(old)
    why = f": {after.demand.reasons[0].text}" if rose and after.demand.reasons else ""
    way = f"{'rose' if rose else 'fell'} from {tier_word(old)} to {tier_word(new)}"
    yield Event("tier", f"demand {way}{why}")
