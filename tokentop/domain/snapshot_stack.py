"""The seven services alone in the snapshot: Mint's pool, Parallel's streams, the agents."""

from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple


class Mint(NamedTuple):
    """The token pool; `source` says whether the base cost is Mint's or the default."""

    supply: float | None = None
    circulation: float | None = None
    balance: float | None = None
    base_cost_tokens: float | None = None
    source: Literal["mint", "default"] = "default"
    age_s: float | None = None
    stale: bool = False


class Parallel(NamedTuple):
    """Parallel's streams."""

    active_streams: int | None = None
    max_streams: int | None = None
    completed: int | None = None
    age_s: float | None = None
    stale: bool = False


class Agents(NamedTuple):
    """Agents on the roster (`online`) and those at work (`active`)."""

    online: int | None = None
    active: int | None = None
    age_s: float | None = None
    stale: bool = False
