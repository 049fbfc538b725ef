"""What books while serving: the usage that is received, and what the engines counted themselves."""

from collections.abc import Callable, Mapping
from time import time_ns

from tokentop.config.schema import Config
from tokentop.domain.snapshot import Snapshot
from tokentop.runtime.ledger import place
from tokentop.runtime.ledger.checkpointing import Checkpoints
from tokentop.runtime.ledger.counting import Counting
from tokentop.runtime.ledger.intake import Intake
from tokentop.runtime.ledger.measuring import Measuring
from tokentop.runtime.ledger.present_prices import PresentPrices
from tokentop.runtime.serve.usage import UsageRoutes
from tokentop.transport.ledger.writer import Writer


def begin(
    config: Config, environ: Mapping[str, str], say: Callable[[str], object]
) -> UsageRoutes | None:
    """Begin to sign checkpoints and to book, where either is wanted.

    Returns what takes usage, None without intake. With it the ledger is opened now, and made where
    there is none; `say` gets a sentence where that fails.
    """
    if config.ledger.checkpoint_hours:
        Checkpoints(config.ledger, environ, say).start()
    if not config.ledger.intake:
        return None
    prices, measuring = PresentPrices(), Measuring()

    def follow(config: Config, snapshot: Snapshot) -> None:
        now_us = time_ns() // 1000
        prices.take(config, snapshot)
        measuring.follow(snapshot, now_us)
        counting.follow(snapshot, now_us)

    def open_writer() -> Writer:
        db = place.opened(config.ledger, environ, create=True)
        return place.writer(db, config.ledger, prices.now)

    intake = Intake(open_writer, lambda: time_ns() // 1000, say)
    intake.start()
    counting = Counting(intake)
    return UsageRoutes(intake, config.ledger.mapping._asdict(), follow, measuring.measured)
