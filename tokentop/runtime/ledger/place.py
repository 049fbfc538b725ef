"""Which ledger, writer, prices and key the configuration means."""

import os
import re
from collections.abc import Mapping
from functools import partial

from tokentop.config.problems import Problem
from tokentop.config.schema import LedgerConfig
from tokentop.config.valuation import load
from tokentop.domain.economy.valuation import value
from tokentop.transport import user_state
from tokentop.transport.ledger.database import Database, LedgerError, connect
from tokentop.transport.ledger.writer import Writer

KEY = "ledger.key"


def path(config: LedgerConfig, environ: Mapping[str, str]) -> str:
    """The ledger's file: the configured one, else this host's in $XDG_STATE_HOME/tokentop.

    Hosts may share a home directory, and SQLite's log cannot be shared between two. Raises
    LedgerError where there is no such directory that other users cannot write to.
    """
    if config.path is not None:
        return config.path
    state = user_state.directory(environ)
    if state is None:
        raise LedgerError("no directory for it is yours alone; set path in [ledger]")
    return os.path.join(state, f"ledger-{_host()}.sqlite3")


def key_path(config: LedgerConfig, environ: Mapping[str, str]) -> str:
    """The private key's file."""
    return config.key_file or os.path.join(os.path.dirname(path(config, environ)), KEY)


def writer_name(config: LedgerConfig) -> str:
    """The chain that this machine appends to: the configured name, else the host's."""
    return config.writer or _host()


def _host() -> str:
    return re.sub("[^A-Za-z0-9._-]", "-", os.uname().nodename)[:64] or "local"


def writer(db: Database, config: LedgerConfig) -> Writer:
    """The writer that values events by the configured prices; raises LedgerError for bad ones."""
    tables = load(config.valuation)
    if isinstance(tables, Problem):
        raise LedgerError(str(tables))
    return Writer(db, writer_name(config), partial(value, tables=tables))


def opened(config: LedgerConfig, environ: Mapping[str, str], *, create: bool = False) -> Database:
    """The ledger's database; raises LedgerError."""
    return connect(path(config, environ), create=create)
