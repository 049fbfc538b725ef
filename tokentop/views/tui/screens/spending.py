"""The questions before a project is stopped or goes on, and before a flag is classified."""

from tokentop.domain.snapshot_ledger import Flag, Project
from tokentop.domain.text import DASH, clean
from tokentop.views.tui.draw.kit.frame import framed
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, ascii_lines, wrapped
from tokentop.views.tui.draw.panels.ledger.budgets import flagged, today
from tokentop.views.tui.screens.overlay import FRAME

_STOPS = "Its requests are refused from now on, also those of tasks that run."
_RESUMES = "It was stopped: {why}. Its requests pass again, as far as its budgets reach."
_CLASSES = (
    ("f", "fine: it was worth it, as is what is like it"),
    ("d", "defer: it goes on, and is looked at later"),
    ("h", "halt: it was wrong, and is ended"),
)


def stop_question(project: Project, width: int, options: DrawOptions) -> list[Line]:
    """Whether a project is stopped, or a stopped one goes on."""
    why = clean(project.why or "no reason is given", 200).rstrip(".")
    verb = "resume" if project.stopped else "stop"
    text = _RESUMES.format(why=why) if project.stopped else _STOPS
    spent = today(project)
    rows: list[Line] = [
        [(clean(project.name, 60), "bright"), *([] if spent == DASH else [(f"  {spent}", "dim")])],
        [],
        *([(part, "warn")] for part in wrapped(text, width - 4, 4)),
        [("y", "key"), (f" {verb} it   ", "text"), ("any other key leaves it alone", "dim")],
    ]
    return _boxed(rows, f"{verb.capitalize()} this project?", width, options)


def class_question(flag: Flag, width: int, options: DrawOptions) -> list[Line]:
    """What a flag was."""
    projects = ", ".join(clean(name, 40) for name in flag.projects)
    before = f" The one before was {flag.precedent}." if flag.precedent else ""
    text = flagged(flag) + before
    rows: list[Line] = [
        [(projects, "bright")],
        *([(part, "warn")] for part in wrapped(text, width - 4, 4)),
        [],
        *([(key, "key"), (f" {means}", "text")] for key, means in _CLASSES),
        [("any other key leaves it as it is", "dim")],
    ]
    return _boxed(rows, "What was this?", width, options)


def _boxed(rows: list[Line], title: str, width: int, options: DrawOptions) -> list[Line]:
    drawn = framed(rows, title, [], width, len(rows) + 2, style=FRAME)
    return ascii_lines(drawn) if options.ascii else drawn
