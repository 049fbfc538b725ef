"""The verbs that write: import, reverse, forget, archive."""

import sys

from tokentop.domain.ledger.event import DAY_US
from tokentop.runtime.ledger import place
from tokentop.runtime.ledger.archiving import archive_until
from tokentop.runtime.ledger.importing import Imported, import_rows
from tokentop.runtime.ledger.usage_file import rows
from tokentop.transport.ledger import reader
from tokentop.views.ledger.call import DONE, WRONG, Answer, Call, UsageError
from tokentop.views.ledger.when import when

STAY_DAYS = 93  # the audit compares two full months


def import_file(call: Call) -> Answer:
    """Book a file's usage records; rows that cannot be booked are named on standard error."""
    try:
        file = open(call.operand, "rb")  # noqa: SIM115  # a failure here is not the ledger's
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have such a name"
        raise UsageError(f"{call.operand!a} cannot be read ({reason})") from None
    with file:
        db = place.opened(call.config, call.environ, create=True)
        done = import_rows(rows(file), place.writer(db, call.config), call.now_us)
    _say_refused(done)
    text = f"booked {done.new}, in the ledger already {done.known}, refused {done.refused_count}"
    return text, WRONG if done.refused_count else DONE


def _say_refused(done: Imported) -> None:
    for line, reason in done.refused:
        sys.stderr.write(f"tokentop: line {line} was not booked: {reason}\n")
    if done.refused_count > len(done.refused):
        sys.stderr.write(f"tokentop: and {done.refused_count - len(done.refused)} more\n")


def reverse(call: Call) -> Answer:
    """Cancel an entry by its id, with an entry of the opposite amounts."""
    db = place.opened(call.config, call.environ)
    entry = place.writer(db, call.config).reverse(call.operand, call.now_us)
    return f"booked {entry.identity} as entry {entry.seq} of {entry.writer}", DONE


def forget(call: Call) -> Answer:
    """Erase a person's name from the ledger's file."""
    db = place.opened(call.config, call.environ)
    if not reader.erase(db, call.operand):
        raise UsageError("the ledger has no person of that name")
    return "erased; the person's entries stay, under a random number", DONE


def archive(call: Call) -> Answer:
    """Move old entries into files, and name each."""
    given = call.options["until"]
    if given is None:
        raise UsageError("write how old they must be: `tokentop ledger archive --until 400d`")
    try:
        until_us = when(given, call.now_us)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if until_us > call.now_us - STAY_DAYS * DAY_US:
        raise UsageError(f"the last {STAY_DAYS} days stay: the audit and late reports read them")
    db = place.opened(call.config, call.environ)
    lines = [
        f"{each.file}: entries {each.first_seq} to {each.last_seq} of {each.writer}"
        for each in archive_until(db, until_us)
    ]
    return "\n".join(lines or ["nothing was booked before then, or it is archived already"]), DONE
