"""What a person reports, moves or decides about the ledger's projects, checked and then booked.

Every function raises Refused with one sentence for what cannot be, and LedgerError where the ledger
cannot be read or written.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from functools import partial
from secrets import token_hex

from tokentop.config.schema import Config
from tokentop.domain.detector import records as flags
from tokentop.domain.detector.detector import Detector
from tokentop.domain.detector.flags import Raised
from tokentop.domain.economy.valuation import find_gpu
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.record import Record
from tokentop.domain.policy import BudgetRule
from tokentop.domain.replenishment import records
from tokentop.domain.snapshot import NextInstance
from tokentop.domain.text import clean_name
from tokentop.runtime.ledger import place
from tokentop.runtime.ledger.accounts import budget_book
from tokentop.runtime.ledger.deciding import NO_NAME, book, user
from tokentop.runtime.ledger.zone import zone
from tokentop.sources.usage.fields import micro_usd, thousandths
from tokentop.transport.ledger import following, reader
from tokentop.transport.ledger.database import Database, LedgerError

Environ = Mapping[str, str]
MAX_ID = 200


class Refused(LedgerError):
    """What was given cannot be booked; the ledger itself is well."""


def _amount(value: object, read: Callable[[object], int | None], most: int) -> int:
    """A number other than 0, as whole micro-USD or milli-credits, at most `most` in size."""
    found = read(value)
    if not found or abs(found) > most:
        raise Refused(f"{str(value)[:40]!a} is no amount: it takes a number other than 0")
    return found


def project(text: str) -> str:
    """A project's name as the ledger writes it."""
    name = clean_name(text)
    if not name:
        raise Refused(NO_NAME)
    return name


def report_value(
    config: Config, environ: Environ, name: str, usd: object, unit: str | None, now_us: int,
    identity: str | None = None,
) -> Entry | None:  # fmt: skip
    """Book business value; None where a report of the same `identity` is in the ledger."""
    if unit not in (None, "usd"):
        raise Refused(f"{str(unit)[:20]!a} is no unit of value; write it in usd")
    if identity is not None and not (0 < len(identity) <= MAX_ID and identity.isprintable()):
        raise Refused(f"an id has 1 to {MAX_ID} printable characters")
    worth = _amount(usd, micro_usd, records.MAX_MICRO_USD)
    made = records.value(identity or token_hex(8), project(name), worth, now_us)
    return next(iter(book(config.ledger, environ, [made], now_us)), None)


def swap(
    config: Config, environ: Environ, giver: str, taker: str, credits_: str, now_us: int
) -> Sequence[Entry]:
    """Move credits from one project to another."""
    milli = _positive(credits_)
    if project(giver) == project(taker):
        raise Refused("a project cannot swap with itself")
    _budgets_in_credits(config, project(taker))
    pair = records.swap(token_hex(8), project(giver), project(taker), milli, now_us)
    return _move(config, environ, pair, project(giver), milli, now_us)


def convert(
    config: Config, environ: Environ, giver: str, offer: records.Offer, credits_: str, now_us: int
) -> Sequence[Entry]:
    """Turn credits of a project into an account at a provider, at the price of an offer there."""
    milli = _positive(credits_)
    pair = records.conversion(token_hex(8), project(giver), milli, offer, now_us)
    return _move(config, environ, pair, project(giver), milli, now_us)


def offer_of(config: Config, provider: str, found: NextInstance | None) -> records.Offer:
    """A provider's offer, where `found` is one of a GPU whose speed the price list has."""
    real = found is not None and found.source == "offer" and found.usd_per_hour is not None
    if found is None or not real or (found.provider or "").lower() != provider.lower():
        raise Refused(
            f"no live offer of {clean_name(provider, 40)} is known; the screen or `tokentop serve` "
            "has to run and to read its offers"
        )
    speed = find_gpu(found.gpu, place.tables(config.ledger))
    if speed is None:
        raise Refused(f"the price list has no GPU like {found.gpu}")
    price = micro_usd(found.usd_per_hour) or 0
    return records.Offer(found.provider or provider, speed.name, price, speed.multiplier)


def classify(
    config: Config, environ: Environ, flag: str, verdict: str, now_us: int
) -> tuple[Raised, int]:
    """Book a person's verdict on a flag; returns the flag, and how many are left to classify."""
    wanted = next((each for each in flags.VERDICTS if each == verdict), None)
    if wanted is None:
        raise Refused(f"{verdict[:20]!a} is no verdict; it is one of {_listed()}")
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
        raise Refused(f"there is no flag {flag[:40]!a}; `tokentop flags` lists them")
    return found


def flag_book(db: Database, config: Config) -> Detector:
    """A detector that has every flag and verdict of the ledger."""
    detector = Detector(config.policy.detector)
    detector.book(following.records(db, "flag"))
    return detector


def _positive(credits_: str) -> int:
    milli = _amount(credits_, thousandths, records.MAX_MILLI_CREDITS)
    if milli < 0:
        raise Refused("credits move by a number above 0")
    return milli


def _move(
    config: Config, environ: Environ, pair: Sequence[Record], giver: str, milli: int, now_us: int
) -> Sequence[Entry]:
    """Book both sides of a transfer, unless it is of a team's innovation reserve or of credits that
    the giver has spent already: those are looked up while no other process can book."""
    reserved = next((rule for rule in config.budgets if giver in rule.reserve_projects), None)
    if reserved is not None:
        raise Refused(
            f"{giver} spends from the innovation reserve of {reserved.who}, which stays there"
        )
    rules, present = _budgets_in_credits(config, giver), zone(config.ledger, environ)
    check = partial(_check_spare, rules, present, giver, milli, now_us)
    return book(config.ledger, environ, pair, now_us, check=check, create=False)


def _check_spare(
    rules: Sequence[BudgetRule], zone: tzinfo, giver: str, milli: int, now_us: int, db: Database
) -> None:
    """Refuse what is left in none of the giver's budgets."""
    figures = budget_book(db, rules, zone, now_us).figures(now_us)
    least = min(figures.budgets, key=lambda each: each.limit - each.spent)
    left = max(0.0, least.limit - least.spent)
    if milli > left * 1000:
        raise Refused(f"{giver} has {left:,.6g} credits left in {least.name}")


def _budgets_in_credits(config: Config, name: str) -> Sequence[BudgetRule]:
    """What a project may spend in credits; raises Refused where no budget says."""
    found = [
        rule
        for rule in config.budgets
        if (rule.scope, rule.who, rule.unit) == ("project", name, "credits")
    ]
    if not found:
        raise Refused(f"{name} has no [[budget]] in credits, so none can move")
    return found
