"""A person's decision to stop a project or to let it go on, booked for every collector to see."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from secrets import token_hex

from tokentop.config.schema import Config, LedgerConfig
from tokentop.config.values import nearest
from tokentop.domain.budgets.decision import Outcome, decision
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.record import Record
from tokentop.light_typing import TYPE_CHECKING
from tokentop.runtime.ledger import place
from tokentop.transport.ledger import reader
from tokentop.transport.ledger.database import LedgerError
from tokentop.transport.ledger.writer import Check

if TYPE_CHECKING:
    from tokentop.runtime.ledger.follower import Follower


NO_NAME = "a project needs a name"
GUESSED = 10_000  # names of projects among which a misspelt one is looked for
NO_LEDGER = "there is no ledger; set [ledger] or a [[budget]] in the configuration"


def decide(
    config: Config, environ: Mapping[str, str], project: str, outcome: Outcome, now_us: int
) -> str:
    """Book the decision of this process's user; returns what has happened, as a sentence.

    A project that only this decision knows may be meant, or may be misspelt. Raises LedgerError,
    for an empty name as well, which all requests without a project would have.
    """
    if not project:
        raise LedgerError(NO_NAME)
    made = decision(
        project, outcome, user=user(), identity=f"decision:{token_hex(8)}", at_us=now_us
    )
    book(config.ledger, environ, [made], now_us)
    return f"{done(project, outcome)}{_unknown(config, environ, project)}"


def _unknown(config: Config, environ: Mapping[str, str], project: str) -> str:
    """What is added about a project that neither the ledger nor a budget has."""
    budgeted = {rule.who for rule in config.budgets if rule.scope == "project"}
    budgeted.update(name for rule in config.budgets for name in rule.reserve_projects)
    db = place.opened(config.ledger, environ)
    try:
        known = budgeted | reader.projects(db)
    finally:
        db.close()
    if project in known:
        return ""
    meant = nearest(project, tuple(sorted(known)[:GUESSED]))
    guess = f": did you mean {meant}?" if meant else ""
    return f"; the ledger has no entry of that project yet{guess}"


def book(
    config: LedgerConfig, environ: Mapping[str, str], records: Sequence[Record], now_us: int,
    *, check: Check | None = None, create: bool = True,
) -> Sequence[Entry]:  # fmt: skip
    """Book records together; raises LedgerError. Those that the ledger has already are left out.

    `check` may refuse them by what it raises: see Writer.append.
    """
    db = place.opened(config, environ, create=create)
    try:
        return place.writer(db, config).append(records, now_us, check).entries
    finally:
        db.close()


def stopped(follower: "Follower | None", project: str, *, resume: bool) -> str:
    """Stop a project, or let it go on, and say how that went; blocks meanwhile."""
    if follower is None:
        return f"nothing changes for {project}: no ledger is configured here"
    try:
        return follower.decide(project, "resume" if resume else "stop")
    except LedgerError as error:
        return f"nothing changes for {project}: {error}"


def done(project: str, outcome: Outcome) -> str:
    """What has happened, as a sentence."""
    if outcome == "stop":
        return f"{project} is stopped: gateways that ask tokentop refuse its requests from now on"
    return f"{project} may spend again"


def user() -> str | None:
    """The name under which this process runs."""
    with suppress(ImportError, KeyError, AttributeError):  # no such module, name or call
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    return None
