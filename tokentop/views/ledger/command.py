"""`tokentop ledger VERB`: checks the call, does what the verb says, prints what it answers."""

import os
import sys
from collections.abc import Callable, Mapping
from time import time_ns
from typing import Any

from tokentop.config.schema import LedgerConfig
from tokentop.views.ledger import booking, evidence, reporting
from tokentop.views.ledger.call import Answer, Call, UsageError
from tokentop.views.ledger.verbs import VERBS

_ACTIONS: dict[str, Callable[[Call], Answer]] = {
    "import": booking.import_file,
    "report": reporting.report,
    "verify": evidence.verify,
    "show": reporting.show,
    "reverse": booking.reverse,
    "forget": booking.forget,
    "checkpoint": evidence.checkpoint,
    "archive": booking.archive,
    "key": evidence.key,
    "prove": evidence.prove,
}


def run(
    verb: str | None, operand: str | None, options: Mapping[str, Any], config: LedgerConfig
) -> int:
    """Print what a verb answers and return the exit code; raises UsageError and LedgerError."""
    wanted = next((each for each in VERBS if each.name == verb), None)
    if wanted is None:
        raise UsageError(f"ledger takes one of {', '.join(each.name for each in VERBS)}")
    if bool(operand) != bool(wanted.operand):
        raise UsageError(f"write `tokentop ledger {wanted.usage}`")
    call = Call(operand or "", options, config, os.environ, time_ns() // 1000)
    text, code = _ACTIONS[wanted.name](call)
    sys.stdout.write(text.rstrip("\n") + "\n")
    return code
