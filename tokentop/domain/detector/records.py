"""Flags and verdicts as entries of the ledger, and read back from them.

Both are of the kind `flag` with the same details; the outcome says which of the two it is.
"""

import json
from collections.abc import Mapping

from tokentop.domain.detector.flags import Raised, Verdict
from tokentop.domain.detector.tasks import UNITS, Group, TaskId
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.record import Record
from tokentop.domain.snapshot_ledger import Classification, FlagKind
from tokentop.light_typing import Any, get_args

RAISED = "raised"
KINDS: tuple[FlagKind, ...] = get_args(FlagKind)
VERDICTS: tuple[Classification, ...] = get_args(Classification)


def identity(flag: str) -> str:
    """The identity of the entry by which a flag was raised."""
    return f"flag:{flag}"


def raised(flag: Raised) -> Record:
    """The record of a new flag."""
    return _record(flag, identity(flag.id), flag.at_us, RAISED)


def classified(flag: Raised, verdict: Classification, at_us: int) -> Record:
    """The record of a person's verdict; a later one of the same flag replaces it."""
    return _record(flag, f"{identity(flag.id)}:{at_us}", at_us, verdict)


def _record(flag: Raised, name: str, at_us: int, outcome: str) -> Record:
    (project, model, kind, unit), task = flag.task
    details: dict[str, int | str | None] = {
        "flag": flag.id, "raised": flag.at_us, "expected": flag.expected, "unit": unit,
        "kind": kind, "task": task, "about": flag.about,
        "projects": "\n".join(flag.projects) or None,
    }  # fmt: skip
    return Record(
        "flag", name, at_us, outcome, project=project or None, model=model or None, task=flag.name,
        milli_credits=flag.cost, details=details,
    )  # fmt: skip


def read(entry: Entry) -> Raised | Verdict | None:
    """What an entry of the kind `flag` says; None where a newer version says it in another way."""
    try:
        flag = _flag(entry, json.loads(entry.details or ""))
    except (ValueError, TypeError, KeyError):
        return None
    verdict = next((each for each in VERDICTS if each == entry.outcome), None)
    return flag if entry.outcome == RAISED else Verdict(flag, verdict) if verdict else None


def _flag(entry: Entry, details: Mapping[str, Any]) -> Raised:
    unit, about = details["unit"], details["about"]
    if unit not in UNITS or about not in KINDS:
        raise ValueError
    group = Group(entry.project or "", entry.model or "", str(details["kind"]), unit)
    return Raised(
        str(details["flag"]), int(details["raised"]), entry.milli_credits or 0,
        int(details["expected"]), TaskId(group, str(details["task"])), entry.task,
        tuple(str(details.get("projects", "")).splitlines()), about,
    )  # fmt: skip
