"""Events as tests need them."""

from tokentop.domain.ledger.event import UsageEvent

NOON_US = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z
HOUR_US = 3_600_000_000
NOW_US = NOON_US + 6 * HOUR_US


def event(number: int = 0, **values: object) -> UsageEvent:
    """One request of ada's for 100 prompt and 50 generated tokens; `number` makes it another."""
    usual = {
        "identity": f"test:{number}", "at_us": NOON_US + number * 1_000_000, "feed": "test",
        "user": "ada", "project": "alpha", "team": "blue", "model": "gpt-4o", "provider": "openai",
        "engine": "node-a", "prompt": 100, "cached": 0, "generated": 50, "micro_usd": 7,
    }  # fmt: skip
    return UsageEvent(**{**usual, **values})  # type: ignore[arg-type]
