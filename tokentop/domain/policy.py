"""The economy's parameters with their defaults, which a user can change, and shared thresholds.

The README says which constants are published ones and which are ours; field comments give units.
"""

from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple

BudgetUnit = Literal["tokens", "credits", "usd"]
BudgetPeriod = Literal["day", "week", "month", "total"]
BudgetScope = Literal["user", "project", "team"]

INTERVAL_S = 4.0  # between two polls of a source, where the user sets no other
STALE_AFTER_S = 3 * INTERVAL_S  # a good answer older than this is stale, at that interval
OFFLINE_AFTER_S = 60.0  # a service or an engine silent for longer is offline, not stale
KV_FULL = 0.95  # share of the KV cache above which requests may wait for cache
BUDGET_SHORT_S = 3600.0  # a budget that lasts no longer at its present burn is short


class PricingPolicy(NamedTuple):
    """The S-curve, and the rates used where Mint gives none."""

    floor: float = 1.0
    ceiling: float = 6.0
    steepness: float = 8.0
    midpoint: float = 0.55
    everything_free: bool = True
    base_cost_tokens: float = 10.0  # tokens a request
    tokens_per_usd: float = 5000.0
    gpu_tokens_per_hour: float = 4000.0


class TierPolicy(NamedTuple):
    """Where each tier starts, as utilisation 0-1; saturated starts just above its bound."""

    low: float = 0.10
    moderate: float = 0.40
    high: float = 0.60
    surge: float = 0.80
    saturated: float = 0.95


class CapacityPolicy(NamedTuple):
    """When the next instance comes and when a surplus one goes."""

    scale_up_at: float = 0.95  # utilisation
    scale_down_below: float = 0.40  # utilisation
    scale_down_after_s: float = 600.0
    vram_gb: float | None = None  # GiB that the next GPU must have; None: as vram_needed finds


class HealthPolicy(NamedTuple):
    """For how long a member may start before it counts as down."""

    starting_grace_s: float = 600.0


class CostPolicy(NamedTuple):
    """What the user pays; None where not configured. Rented or owned, never both.

    Rented: `usd_per_gpu_hour`, for one GPU. Owned: `purchase_usd` (all the GPUs together, written
    off over `months`) and `usd_per_kwh`. `gpus` stands in for counting them.
    """

    usd_per_gpu_hour: float | None = None
    purchase_usd: float | None = None
    months: float | None = None
    usd_per_kwh: float | None = None
    reference_name: str | None = None
    reference_usd_per_mtok: float | None = None  # a million generated tokens elsewhere
    gpus: int | None = None
    silent_burn_at: float = 0.2  # share of requests answered for nothing that deserves a mark
    burn_counts_length: bool = False  # whether what the length limit cut was for nothing


class DetectorPolicy(NamedTuple):
    """When a task or several projects together are flagged.

    A `threshold` other than the default holds only after the calibration epoch.
    """

    threshold: float = 3.0  # times what the task is expected to cost
    idle_s: float = 1800.0  # a task without a request for so long has ended
    machine_credits_per_hour: float | None = None  # what all projects may spend together


class ReplenishmentPolicy(NamedTuple):
    """What becomes of a project's budget in credits as it runs out; None leaves it alone.

    Velocities are USD of reported value per credit. `share` of the budget's limit is added at once.
    """

    window_days: int = 30  # over which the velocity is
    above: float | None = None  # replenish at this velocity or more
    below: float | None = None  # ask for a review below it
    at: float = 0.8  # of the limit that is spent
    share: float = 0.25


class BudgetRule(NamedTuple):
    """What one user, project or team may spend in each period, and what happens then.

    `thresholds` are shares of `limit` whose passing is shown. `reserve` is the share of a team's
    limit that only its `reserve_projects` may spend, the innovation reserve; other scopes have
    none. With `stop` nothing more is authorized once the limit is spent. `throttle` is how many
    requests a minute are authorized past the highest threshold below the whole.
    """

    name: str
    scope: BudgetScope
    who: str
    period: BudgetPeriod
    unit: BudgetUnit
    limit: float
    thresholds: tuple[float, ...] = (0.5, 0.8, 1.0)
    reserve: float = 0.10
    reserve_projects: tuple[str, ...] = ()
    stop: bool = False
    throttle: int | None = None

    @property
    def warn_at(self) -> float:
        """The highest threshold below the whole, a share of the limit; 1 where there is none."""
        return max((each for each in self.thresholds if each < 1), default=1.0)


class Policy(NamedTuple):
    """Everything the formulas need that is not a measurement."""

    pricing: PricingPolicy = PricingPolicy()
    tiers: TierPolicy = TierPolicy()
    capacity: CapacityPolicy = CapacityPolicy()
    profile: Literal["auto", "vram", "serving"] = "auto"
    cost: CostPolicy = CostPolicy()
    health: HealthPolicy = HealthPolicy()
    detector: DetectorPolicy = DetectorPolicy()
    replenishment: ReplenishmentPolicy = ReplenishmentPolicy()
