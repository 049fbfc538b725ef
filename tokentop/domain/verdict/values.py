"""Values of the verdict: health, pools, reasons, alerts, events, members, the clock."""

from tokentop.domain.policy import INTERVAL_S, HealthPolicy
from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple

NO_DATA = "No data yet"

Tier = Literal["idle", "low", "moderate", "high", "surge", "saturated"]
Mode = Literal["normal", "pressure", "saturated"]
HealthState = Literal["ok", "starting", "degraded", "down", "unknown"]
Standing = Literal["serving", "starting", "degraded", "down"]
ReasonCode = Literal[
    "engine_down",
    "engine_starting",
    "engine_degraded",
    "gpu_lost",
    "driver_silent",
    "queue_waiting",
    "unbalanced",
    "queue_full",
    "rejections",
    "kv_full",
    "slots_full",
    "preemptions",
    "back_pressure",
    "acta",
    "vram_full",
    "no_engine",
    "stale_data",
]


class Reason(NamedTuple):
    """Why the verdict is what it is; `member` is an Engine.id or a service's name, if it is one."""

    code: ReasonCode
    text: str
    member: str | None = None


EventCode = Literal[
    "engine_down",
    "engine_starting",
    "engine_ready",
    "engine_back",
    "engine_restarted",
    "service_down",
    "service_back",
    "driver_silent",
    "driver_back",
    "gpu_lost",
    "gpu_back",
    "gpu_throttled",
    "gpu_xid",
    "rejections",
    "preemptions",
    "tier",
    "alert_firing",
    "alert_resolved",
    "flagged",
    "flag_classified",
]


class Event(NamedTuple):
    """What changed between two snapshots; `at` is when the later one was made, RFC 3339 UTC.

    `member` is an Engine.id, a GPU's UUID, a service's name or a flag's id, if it is about one.
    """

    code: EventCode
    text: str
    member: str | None = None
    at: str = ""


AlertState = Literal["pending", "firing", "silenced", "resolved"]
Severity = Literal["info", "warning", "critical"]
Action = Literal["bell", "notify", "webhook", "command"]


class Alert(NamedTuple):
    """One alert about one member, or about the whole (`member` is None).

    `since` is when the state began, RFC 3339 UTC. `actions` are its rule's.
    """

    name: str
    state: AlertState
    text: str
    member: str | None = None
    severity: Severity = "warning"
    since: str = ""
    actions: tuple[Action, ...] = ()


class Health(NamedTuple):
    """Does what should serve, serve? The most important reason first."""

    state: HealthState = "unknown"
    reasons: tuple[Reason, ...] = ()


class Pool(NamedTuple):
    """All engines that serve one model, or the stack (`model` is then "stack").

    `utilization` is 0-1 and a lower bound where `at_least`; `tier` is None where nothing in the
    pool serves or nothing about its load is known. `free` slots are of engines that report them.
    An estimate where `slots_estimated` (`max_slots` and `free`) and `kv_estimated`.
    """

    model: str
    tier: Tier | None = None
    utilization: float | None = None
    active: int | None = None
    queued: int | None = None
    max_slots: int | None = None
    kv_cache: float | None = None
    health: HealthState = "unknown"
    free: int | None = None
    at_least: bool = False
    slots_estimated: bool = False
    kv_estimated: bool = False


class Clock(NamedTuple):
    """`now` is monotonic seconds, `wall` the same moment in Unix seconds.

    `utc_offset_s` is what the user's time zone adds to UTC; `interval_s` lies between two polls.
    """

    now: float = 0.0
    wall: float = 0.0
    utc_offset_s: float = 0.0
    interval_s: float = INTERVAL_S
    starting_grace_s: float = HealthPolicy().starting_grace_s

    def seconds_since(self, moment: float | None) -> float:
        """Seconds from a monotonic moment to now; 0 where it is unknown."""
        return 0.0 if moment is None else max(0.0, self.now - moment)

    def since(self, moment: float | None) -> str:
        """` (since 14:03)` for a monotonic moment; nothing where it is unknown."""
        if moment is None:
            return ""
        minutes = int(self.wall - self.seconds_since(moment) + self.utc_offset_s) // 60
        return f" (since {minutes // 60 % 24:02}:{minutes % 60:02})"


class Member(NamedTuple):
    """One member with its standing; `pool` is the model that it serves, `place` its address.

    A `router` sends requests on to engines: its load is theirs.
    """

    id: str
    pool: str
    standing: Standing
    place: str = ""
    reason: Reason | None = None
    router: bool = False
