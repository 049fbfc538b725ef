"""What changed about the ledger: tasks and projects that were flagged, and what was decided."""

from collections.abc import Iterator

from tokentop.domain.snapshot_ledger import Flag, LedgerFigures
from tokentop.domain.text import fmt_count
from tokentop.domain.verdict.values import Event


def ledger_events(before: LedgerFigures | None, after: LedgerFigures | None) -> Iterator[Event]:
    """New flags, and those that were classified; none for what stood in the ledger at the start."""
    if before is None or after is None or before.age_s is None:
        return
    known = {flag.id: flag.classified for flag in before.flags}
    for flag in after.flags:
        if flag.classified is None and flag.id not in known:
            yield Event("flagged", _raised(flag), flag.id)
        elif flag.classified is not None and known.get(flag.id, flag.classified) is None:
            text = f"flag {flag.id} of {_named(flag.projects)} is classified: {flag.classified}"
            yield Event("flag_classified", text, flag.id)


def _raised(flag: Flag) -> str:
    if flag.kind == "concentration":
        return f"flagged: {_named(flag.projects)} together exceed what {flag.task} may spend"
    if flag.kind == "review" or not flag.expected or flag.cost is None:
        return f"{_named(flag.projects)}: {flag.task}"
    times = flag.cost / flag.expected
    precedent = f"; as before: {flag.precedent}" if flag.precedent else ""
    return (
        f"flagged: task {flag.task} of {_named(flag.projects)} cost {times:.1f}x what is expected, "
        f"{fmt_count(flag.cost)} credits{precedent}"
    )


def _named(projects: tuple[str, ...]) -> str:
    *most, last = projects or ("",)
    return f"{', '.join(most)} and {last}" if most else last or "no project"
