"""The keys of budgets: one [[budget]], and [authorize]."""

from functools import cache

from tokentop.config.key import Key
from tokentop.config.schema import FAILURE_MODES, AuthorizeConfig
from tokentop.domain.policy import BudgetPeriod, BudgetRule, BudgetScope, BudgetUnit
from tokentop.light_typing import get_args

SCOPES: tuple[BudgetScope, ...] = get_args(BudgetScope)
PERIODS: tuple[str, ...] = get_args(BudgetPeriod)
UNITS: tuple[str, ...] = get_args(BudgetUnit)


@cache
def budget_keys() -> dict[str, Key]:
    """The keys of one [[budget]] by their own names."""
    d = BudgetRule._field_defaults
    rows = (
        Key("name", "text", None, "What to call it; else whose it is and its period",
            sample="alpha monthly"),
        Key("user", "text", None, "Whose budget it is: a user's,", sample="ada"),
        Key("project", "text", None, "or a project's,", sample="alpha"),
        Key("team", "text", None, "or a team's", sample="blue"),
        Key("period", "choice", "month", f"One of {', '.join(PERIODS)}", choices=PERIODS),
        Key("unit", "choice", "usd", f"One of {', '.join(UNITS)}", choices=UNITS),
        Key("limit", "number", None, "How much of the unit may be spent in the period", 0.0, 1e15,
            sample=50.0),
        Key("thresholds", "shares", d["thresholds"], "Shares of the limit that are marked",
            0.0, 10.0),
        Key("reserve", "number", d["reserve"],
            "Share of a team's limit that is its innovation reserve", 0.0, 1.0),
        Key("reserve_projects", "words", d["reserve_projects"],
            "Its projects that spend the reserve, and only that", sample=["lab"]),
        Key("stop", "switch", d["stop"], "Authorize nothing more once it is spent"),
        Key("throttle", "integer", d["throttle"],
            "Requests a minute past the highest threshold below 1", 1, 1_000_000, sample=6),
    )  # fmt: skip
    return {row.name: row for row in rows}


def authorize_keys() -> tuple[Key, ...]:
    a = AuthorizeConfig()
    return (
        *(Key(f"authorize.{name}", "words", getattr(a, name),
              f"Headers that name the {name}, before the usual ones",
              sample=[f"x-tokentop-{name}"])
          for name in SCOPES),
        Key("authorize.status", "integer", a.status,
            "Status of a refusal; clients stop at the first 429 or 402", 400, 499),
        Key("authorize.retry_after", "switch", a.retry_after,
            "Send Retry-After too: clients then try again instead of showing why"),
        Key("authorize.failure_mode", "choice", a.failure_mode,
            "open lets requests through while the ledger cannot be read, closed refuses them",
            choices=FAILURE_MODES),
    )  # fmt: skip
