"""Entries for a screen or a client: a page of them, read from the configured ledger."""

from collections.abc import Mapping

from tokentop.config.schema import LedgerConfig
from tokentop.domain.ledger.listing import Page, Question
from tokentop.runtime.ledger.place import opened
from tokentop.transport.ledger.database import LedgerError
from tokentop.transport.ledger.listing import page


def read(config: LedgerConfig, environ: Mapping[str, str], question: Question) -> Page:
    """The entries that answer a question; a page with the problem where they cannot be read."""
    try:
        db = opened(config, environ)
        try:
            return page(db, question)
        finally:
            db.close()
    except LedgerError as error:
        return Page(question.wanted, problem=str(error))
