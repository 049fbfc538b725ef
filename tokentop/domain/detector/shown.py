"""Flags as the snapshot has them."""

from tokentop.domain.detector.detector import Detector
from tokentop.domain.detector.flags import Raised
from tokentop.domain.ledger.event import iso
from tokentop.domain.snapshot_ledger import Flag

MOST_SHOWN = 20


def flags(detector: Detector, now_us: int) -> tuple[Flag, ...]:
    """Those to classify, then the others, newest first; `now_us` is Unix microseconds."""
    book = detector.flags
    found = sorted(book.newest.values(), key=lambda each: (each.id in book.verdicts, -each.at_us))
    return tuple(_flag(detector, each, now_us) for each in found[:MOST_SHOWN])


def _flag(detector: Detector, raised: Raised, now_us: int) -> Flag:
    book, group = detector.flags, raised.task.group
    task = detector.running(raised.task, now_us)
    together = raised.about == "concentration"
    return Flag(
        id=raised.id,
        kind=raised.about,
        at=iso(raised.at_us),
        projects=raised.projects or (group.project,),
        model=group.model or None,
        task=group.project if together else raised.name or raised.task.id,
        cost=(task.cost if task else raised.cost) / 1000,
        expected=None if together else raised.expected / 1000,
        running=task is not None,
        escalated=book.escalates(raised),
        precedent=book.precedent(group),
        classified=book.verdicts.get(raised.id),
    )
