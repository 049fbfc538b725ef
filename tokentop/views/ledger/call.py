"""What every verb of `tokentop ledger` is given, and what it answers with."""

from collections.abc import Mapping

from tokentop.config.schema import Config, LedgerConfig
from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple

DONE, WRONG = 0, 4  # WRONG: rows were refused, or the ledger was tampered with

Answer = tuple[str, int]  # the text to print, the exit code


class UsageError(ValueError):
    """Arguments that cannot be used, as one sentence."""


class Call(NamedTuple):
    """One call: the words after the verb, the options by name, the configuration, the time.

    `now_us` is Unix microseconds.
    """

    words: tuple[str, ...]
    options: Mapping[str, Any]
    everything: Config
    environ: Mapping[str, str]
    now_us: int

    @property
    def operand(self) -> str:
        """The first word."""
        return self.words[0]

    @property
    def config(self) -> LedgerConfig:
        return self.everything.ledger


def read_file(path: str, limit: int) -> bytes:
    """At most `limit` bytes of a file that the user named; raises UsageError."""
    from tokentop.config.files import read_small

    try:
        return read_small(path, limit)
    except OSError as error:
        raise UsageError(f"{path!a} cannot be read ({error.strerror})") from None
