"""The budgets, built from checked values."""

from tokentop.config.budget_keys import SCOPES
from tokentop.config.build import only
from tokentop.config.draft import ConfigBuilder
from tokentop.domain.policy import BudgetRule


def budgets(builder: ConfigBuilder) -> tuple[BudgetRule, ...]:
    """Return the budgets in the file's order; problems go to the draft."""
    seen: dict[str, str] = {}
    return tuple(_budget(at, seen, builder) for at in builder.rows["budget"])


def _budget(at: str, seen: dict[str, str], builder: ConfigBuilder) -> BudgetRule:
    values = builder.section(at)
    whose = {scope: values.pop(scope) for scope in SCOPES}
    named = [scope for scope in SCOPES if whose[scope] is not None]
    if len(named) != 1 and builder.is_valid(*(f"{at}.{scope}" for scope in SCOPES)):
        many = f"has {' and '.join(named)}" if named else "has no holder"
        builder.add_problem(at, f"{many}; write one of {', '.join(SCOPES)}")
    if values["limit"] is None and builder.is_valid(f"{at}.limit"):
        builder.add_problem(f"{at}.limit", "is missing; write limit = 50.0")
    scope = named[0] if named else "project"
    name = values.pop("name") or f"{whose[scope]} {values['period']}"
    only(f"{at}.name", f"the name {name}", seen, builder)
    if values["reserve_projects"] and scope != "team":
        builder.add_problem(f"{at}.reserve_projects", "only a team has a reserve; leave it out")
    return BudgetRule(name=name, scope=scope, who=whose[scope], **values)
