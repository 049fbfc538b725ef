"""What stretches of time took and gave, added up."""

from typing import NamedTuple


class Account(NamedTuple):
    """What a stretch of time took and gave; `watt_tokens` were made while watts were measured.

    `unmetered_s` and `unmetered_busy_s` are of a rate that lacked some electricity.
    """

    seconds: float = 0.0
    usd: float = 0.0
    tokens: float = 0.0
    busy_s: float = 0.0
    busy_usd: float = 0.0
    busy_tokens: float = 0.0
    watt_hours: float = 0.0
    watt_tokens: float = 0.0
    unmetered_s: float = 0.0
    unmetered_busy_s: float = 0.0

    def plus(self, other: "Account") -> "Account":
        return Account(*(one + two for one, two in zip(self, other, strict=True)))
