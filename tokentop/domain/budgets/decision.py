"""A person's decision about a project, as the ledger keeps it."""

from tokentop.domain.ledger.record import Record
from tokentop.light_typing import Literal

Outcome = Literal["stop", "resume"]


def decision(
    project: str, outcome: Outcome, *, user: str | None, identity: str, at_us: int
) -> Record:
    """The record that stops a project, or lets it go on; `user` decided that."""
    return Record("decision", identity, at_us, outcome, user=user, project=project)
