"""What a person reports, moves or decides about the ledger's projects, checked and then booked.

Every function raises LedgerError with one sentence where it cannot be done.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from secrets import token_hex

from tokentop.config.problems import Problem
from tokentop.config.schema import Config
from tokentop.config.valuation import load
from tokentop.domain.detector import records as flags
from tokentop.domain.detector.detector import Detector
from tokentop.domain.detector.flags import Raised
from tokentop.domain.economy.valuation import find_gpu
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.record import Record
from tokentop.domain.replenishment import records
from tokentop.domain.snapshot import NextInstance
from tokentop.domain.text import clean_name
from tokentop.runtime.ledger import place
from tokentop.runtime.ledger.accounts import Accounts
from tokentop.runtime.ledger.deciding import book, user
from tokentop.runtime.ledger.zone import zone
from tokentop.transport.ledger import following, reader
from tokentop.transport.ledger.database import Database, LedgerError

Environ = Mapping[str, str]


def amount(text: str, scale: int, most: int) -> int:
    """A decimal number times `scale`, as a whole number other than 0, at most `most` in size."""
    try:
        found = Decimal(text)
        scaled = found * scale if found.is_finite() and abs(found) < most else Decimal(0)
    except InvalidOperation:
        scaled = Decimal(0)
    if scaled == 0 or abs(scaled) > most or scaled != int(scaled):
        raise LedgerError(f"{text[:40]!a} is no amount: it takes a number other than 0")
    return int(scaled)


def project(text: str) -> str:
    """A project's name as the ledger writes it."""
    name = clean_name(text)
    if not name:
        raise LedgerError("a project needs a name")
    return name


def report_value(
    config: Config, environ: Environ, name: str, usd: str, unit: str | None, now_us: int,
    identity: str | None = None,
) -> Entry | None:  # fmt: skip
    """Book business value; None where a report of the same `identity` is in the ledger."""
    if unit not in (None, "usd"):
        raise LedgerError(f"{str(unit)[:20]!a} is no unit of value; write it in usd")
    micro_usd = amount(usd, 1_000_000, records.MAX_MICRO_USD)
    made = records.value(identity or token_hex(8), project(name), micro_usd, now_us)
    return next(iter(_book(config, environ, [made], now_us)), None)


def swap(
    config: Config, environ: Environ, giver: str, taker: str, credits_: str, now_us: int
) -> Sequence[Entry]:
    """Move credits from one project to another."""
    milli = _positive(credits_)
    if project(giver) == project(taker):
        raise LedgerError("a project cannot swap with itself")
    _check_spare(config, environ, project(giver), milli, now_us)
    pair = records.swap(token_hex(8), project(giver), project(taker), milli, now_us)
    return _book(config, environ, pair, now_us)


def convert(
    config: Config, environ: Environ, giver: str, offer: records.Offer, credits_: str, now_us: int
) -> Sequence[Entry]:
    """Turn credits of a project into an account at a provider, at the price of an offer there."""
    milli = _positive(credits_)
    _check_spare(config, environ, project(giver), milli, now_us)
    pair = records.conversion(token_hex(8), project(giver), milli, offer, now_us)
    return _book(config, environ, pair, now_us)


def offer_of(config: Config, provider: str, found: NextInstance | None) -> records.Offer:
    """A provider's offer, where `found` is one of a GPU whose speed the price list has."""
    tables = load(config.ledger.valuation)
    if isinstance(tables, Problem):
        raise LedgerError(str(tables))
    real = found is not None and found.source == "offer" and found.usd_per_hour is not None
    if found is None or not real or (found.provider or "").lower() != provider.lower():
        raise LedgerError(
            f"no live offer of {clean_name(provider, 40)} is known; the screen or `tokentop serve` "
            "has to run and to read its offers"
        )
    speed = find_gpu(found.gpu, tables)
    if speed is None:
        raise LedgerError(f"the price list has no GPU like {found.gpu}")
    micro_usd = round((found.usd_per_hour or 0) * 1e6)
    return records.Offer(found.provider or provider, speed.name, micro_usd, speed.multiplier)


def classify(
    config: Config, environ: Environ, flag: str, verdict: str, now_us: int
) -> tuple[Raised, int]:
    """Book a person's verdict on a flag; returns the flag, and how many are left to classify."""
    wanted = next((each for each in flags.VERDICTS if each == verdict), None)
    if wanted is None:
        raise LedgerError(f"{verdict[:20]!a} is no verdict; it is one of {_listed()}")
    db = place.opened(config.ledger, environ)
    try:
        found = find_flag(db, flag)
        made = flags.classified(found, wanted, now_us)._replace(user=user())
        place.writer(db, config.ledger).append([made], now_us)
        return found, flag_book(db, config).flags.left
    finally:
        db.close()


def _listed() -> str:
    *most, last = flags.VERDICTS
    return f"{', '.join(most)} and {last}"


def find_flag(db: Database, flag: str) -> Raised:
    """The flag with an id."""
    entry = reader.entry(db, flags.identity(flag))
    found = entry and flags.read(entry)
    if not isinstance(found, Raised):
        raise LedgerError(f"there is no flag {flag[:40]!a}; `tokentop flags` lists them")
    return found


def flag_book(db: Database, config: Config) -> Detector:
    """A detector that has every flag and verdict of the ledger."""
    detector = Detector(config.policy.detector)
    detector.book(following.records(db, "flag"))
    return detector


def _positive(credits_: str) -> int:
    milli = amount(credits_, 1000, records.MAX_MILLI_CREDITS)
    if milli < 0:
        raise LedgerError("credits move by a number above 0")
    return milli


def _check_spare(config: Config, environ: Environ, giver: str, milli: int, now_us: int) -> None:
    """Refuse what the giver has spent already, and what is a team's innovation reserve."""
    reserved = next((rule for rule in config.budgets if giver in rule.reserve_projects), None)
    if reserved is not None:
        raise LedgerError(
            f"{giver} spends from the innovation reserve of {reserved.who}, which stays there"
        )
    accounts = Accounts(
        lambda: place.opened(config.ledger, environ), config.budgets, zone(config.ledger, environ)
    )
    accounts.follow(now_us)
    budgets = accounts.figures(now_us).budgets
    accounts.close()
    for budget in budgets:
        if (budget.scope, budget.who, budget.unit) == ("project", giver, "credits"):
            left = budget.limit - budget.spent
            if milli > left * 1000:
                raise LedgerError(
                    f"{giver} has {max(0.0, left):,.6g} credits left in {budget.name}"
                )


def _book(config: Config, environ: Environ, made: Sequence[Record], now_us: int) -> Sequence[Entry]:
    return book(config.ledger, environ, made, now_us)
