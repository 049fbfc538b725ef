"""A person's decision to stop a project or to let it go on, booked for every collector to see."""

import os
from collections.abc import Mapping
from contextlib import suppress
from secrets import token_hex

from tokentop.config.schema import LedgerConfig
from tokentop.domain.budgets.decision import Outcome, decision
from tokentop.domain.ledger.entry import Entry
from tokentop.runtime.ledger import place


def decide(
    config: LedgerConfig, environ: Mapping[str, str], project: str, outcome: Outcome, now_us: int
) -> Entry:
    """Book the decision of this process's user; raises LedgerError."""
    made = decision(
        project, outcome, user=_user(), identity=f"decision:{token_hex(8)}", at_us=now_us
    )
    db = place.opened(config, environ, create=True)
    try:
        return place.writer(db, config).append([made], now_us).entries[0]
    finally:
        db.close()


def done(project: str, outcome: Outcome) -> str:
    """What has happened, as a sentence."""
    if outcome == "stop":
        return f"{project} is stopped: gateways that ask tokentop refuse its requests from now on"
    return f"{project} may spend again"


def _user() -> str | None:
    """The name under which this process runs."""
    with suppress(ImportError, KeyError, AttributeError):  # no such module, name or call
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    return None
