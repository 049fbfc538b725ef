"""Which ledger, writer, prices and key the configuration means."""

import os
import re
from collections.abc import Callable, Mapping

from tokentop.config.problems import Problem
from tokentop.config.schema import LedgerConfig
from tokentop.config.valuation import load
from tokentop.domain.economy.valuation import Live, Tables, Value, value
from tokentop.domain.ledger.event import UsageEvent
from tokentop.transport import user_state
from tokentop.transport.ledger.database import (
    ARCHIVE,
    Database,
    LedgerError,
    connect,
    connect_server,
)
from tokentop.transport.ledger.reports import MatchingWriter
from tokentop.transport.ledger.writer import Writer

KEY = "ledger.key"


def path(config: LedgerConfig, environ: Mapping[str, str]) -> str:
    """The ledger's file: the configured one, else this host's in $XDG_STATE_HOME/tokentop.

    Hosts may share a home directory, and SQLite's log cannot be shared between two. Raises
    LedgerError where there is no such directory that other users cannot write to.
    """
    return config.path or os.path.join(_state(environ), f"ledger-{_host()}.sqlite3")


def _state(environ: Mapping[str, str]) -> str:
    state = user_state.directory(environ)
    if state is None:
        raise LedgerError("no directory for it is yours alone; set path in [ledger]")
    return state


def _beside(name: str, config: LedgerConfig, environ: Mapping[str, str]) -> str:
    """A file beside the ledger's own; where that is a server, in the state directory."""
    folder = _state(environ) if config.url else os.path.dirname(path(config, environ))
    return os.path.join(folder, name)


def key_path(config: LedgerConfig, environ: Mapping[str, str]) -> str:
    """The private key's file."""
    return config.key_file or _beside(KEY, config, environ)


def archive_path(config: LedgerConfig, environ: Mapping[str, str]) -> str:
    """The folder of archived segments."""
    return config.archive or _beside(ARCHIVE, config, environ)


def writer_name(config: LedgerConfig) -> str:
    """The chain that this machine appends to: the configured name, else the host's."""
    return config.writer or _host()


def _host() -> str:
    return re.sub("[^A-Za-z0-9._-]", "-", os.uname().nodename)[:64] or "local"


def writer(db: Database, config: LedgerConfig, live: Callable[[], Live] | None = None) -> Writer:
    """The writer that values events by the configured prices; raises LedgerError for bad ones."""
    return MatchingWriter(db, writer_name(config), valuation(config, live))


def valuation(
    config: LedgerConfig, live: Callable[[], Live] | None = None
) -> Callable[[UsageEvent], Value]:
    """What values an event; raises LedgerError for a file of prices that cannot be read.

    `live` gives the present prices: without it, as for files of the past, list prices count.
    """
    listed = tables(config)
    present = live if config.prices == "live" else None
    return lambda event: value(event, listed, None if present is None else present())


def tables(config: LedgerConfig) -> Tables:
    """The configured price list; raises LedgerError where it cannot be read."""
    found = load(config.valuation)
    if isinstance(found, Problem):
        raise LedgerError(str(found))
    return found


def opened(config: LedgerConfig, environ: Mapping[str, str], *, create: bool = False) -> Database:
    """The ledger's database; raises LedgerError."""
    archive = archive_path(config, environ)
    if config.url is not None:
        return connect_server(config.url, config.password, archive, create=create)
    return connect(path(config, environ), create=create, archive=archive)
