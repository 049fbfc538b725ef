"""`tokentop ledger VERB`: checks the call, does what the verb says, prints what it answers."""

import os
import sys
from collections.abc import Callable, Mapping
from time import time_ns

from tokentop.config.schema import Config, has_ledger
from tokentop.domain.budgets.decision import Outcome
from tokentop.domain.text import clean_name
from tokentop.light_typing import Any
from tokentop.runtime.ledger import deciding
from tokentop.transport.ledger.database import LedgerError
from tokentop.views.ledger import booking, economy, evidence, reconciling, reporting
from tokentop.views.ledger.call import DONE, Answer, Call, UsageError
from tokentop.views.ledger.verbs import VERBS

_ACTIONS: dict[str, Callable[[Call], Answer]] = {
    "import": booking.import_file,
    "report": reporting.report,
    "verify": evidence.verify,
    "reconcile": reconciling.reconcile,
    "show": reporting.show,
    "reverse": booking.reverse,
    "forget": booking.forget,
    "checkpoint": evidence.checkpoint,
    "archive": booking.archive,
    "key": evidence.key,
    "prove": evidence.prove,
    "value": economy.value,
    "velocity": economy.velocity,
    "audit": economy.audit,
    "swap": economy.swap,
    "convert": economy.convert,
    "flags": economy.flags,
    "classify": economy.classify,
}


def run(
    verb: str | None, words: tuple[str, ...], options: Mapping[str, Any], config: Config
) -> int:
    """Print what a verb answers and return the exit code; raises UsageError and LedgerError."""
    wanted = next((each for each in VERBS if each.name == verb), None)
    if wanted is None:
        raise UsageError(f"ledger takes one of {', '.join(each.name for each in VERBS)}")
    if len(words) != len(wanted.operand.split()):
        raise UsageError(f"write `tokentop ledger {wanted.usage}`")
    call = Call(words, options, config, os.environ, time_ns() // 1000)
    text, code = _ACTIONS[wanted.name](call)
    sys.stdout.write(text.rstrip("\n") + "\n")
    return code


def decide(project: str, outcome: Outcome, config: Config) -> int:
    """Book a person's decision about a project and say so; raises LedgerError."""
    if not has_ledger(config):
        raise LedgerError(f"nothing changes for {clean_name(project)}: {deciding.NO_LEDGER}")
    text = deciding.decide(config, os.environ, clean_name(project), outcome, time_ns() // 1000)
    sys.stdout.write(text + "\n")
    return DONE
