"""A report with the columns of FOCUS 1.4: a row a day, team, project, user, model and engine.

https://focus.finops.org. A row has the tokens of both directions together: what a request cost is
known as a whole. Usage without a price is in no row, as a cost may not be empty there.
"""

import json
from collections.abc import Iterable

from tokentop.domain.economy.valuation_explained import decimal
from tokentop.domain.ledger.totals import Totals
from tokentop.views.ledger.report import Report, written

BY = ("day", "team", "project", "user", "model", "provider", "engine")
HERE = "self-hosted"

_COST = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost")
_FIXED = {
    "BillingAccountId": HERE,
    "BillingAccountName": "",
    "BillingCurrency": "USD",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "ChargeFrequency": "Usage-Based",
    "ConsumedUnit": "Tokens",
    "InvoiceIssuerName": HERE,
    "PricingCategory": "Standard",
    "PricingUnit": "1000000 Tokens",
    "ResourceType": "Inference Engine",
    "ServiceCategory": "AI and Machine Learning",
    "ServiceName": "Inference",
    "ServiceSubcategory": "Generative AI",
    "SkuMeter": "Tokens",
}


def as_focus(report: Report) -> str:
    """CSV of a report by BY over whole days."""
    priced = [_row(keys, totals) for keys, totals in report.rows if _is_priced(totals)]
    columns = sorted(_row((None,) * len(BY), Totals()), key=lambda name: (name[:2] == "x_", name))
    return written([columns, *([row[name] for name in columns] for row in priced)])


def unpriced(rows: Iterable[tuple[tuple[str | None, ...], Totals]]) -> int:
    """How many requests of a report have no price."""
    return sum(totals.unpriced for _, totals in rows)


def _is_priced(totals: Totals) -> bool:
    return totals.requests > totals.unpriced


def _row(keys: tuple[str | None, ...], totals: Totals) -> dict[str, str]:
    day, team, project, user, model, provider, engine = (key or "" for key in keys)
    tokens = totals.prompt + totals.generated
    return {
        **_FIXED,
        **_periods(day),
        **dict.fromkeys(_COST, decimal(totals.micro_usd, 10**6)),
        "ChargeDescription": f"Tokens of {model}" if model else "Tokens",
        "ConsumedQuantity": str(tokens),
        "HostProviderName": provider or HERE,
        "PricingQuantity": decimal(tokens, 10**6),
        "ResourceId": engine,
        "ServiceProviderName": provider or HERE,
        "SkuId": model,
        "SubAccountId": team,
        "SubAccountName": team,
        "Tags": json.dumps({"project": project} if project else {}, ensure_ascii=False),
        "x_Credits": "" if totals.unvalued else decimal(totals.milli_credits, 1000),
        "x_GeneratedTokens": str(totals.generated),
        "x_PrincipalId": user,
        "x_PromptTokens": str(totals.prompt),
        "x_Requests": str(totals.requests),
        "x_UnpricedRequests": str(totals.unpriced),
    }


def _periods(day: str) -> dict[str, str]:
    """The day and its month, each half open: the end is the start of the next."""
    from datetime import date, timedelta

    start = date.fromisoformat(day or "1970-01-01")
    month = start.replace(day=1)
    after = (month + timedelta(days=32)).replace(day=1)
    days = {
        "ChargePeriodStart": start, "ChargePeriodEnd": start + timedelta(days=1),
        "BillingPeriodStart": month, "BillingPeriodEnd": after,
    }  # fmt: skip
    return {name: f"{each.isoformat()}T00:00:00Z" for name, each in days.items()}
