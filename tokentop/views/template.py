"""`--format` templates: names of figures.FIELDS with Python's format specs, and nothing more.

str.format itself is not used on the template: `{tier.__class__}` would reach into objects, and
an unknown value has no number to format.
"""

import re
from math import isfinite
from string import Formatter

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import cell_width, clean
from tokentop.named_tuple import NamedTuple
from tokentop.views.figures import FIELDS, Figure

_SPEC = re.compile(
    r"(?:(?P<fill>.)?(?P<align>[<>=^]))?(?:[-+ ]?z?\#?0?)(?P<width>[1-9]\d{0,2})?[,_]?"
    r"(?:\.\d{1,3})?(?P<type>[deEfFgGn%s])?",
    re.DOTALL,
)


class TemplateError(ValueError):
    """A template that cannot be used, as one sentence."""


class Slot(NamedTuple):
    """Literal text, then the figure `name` with `spec`; a last slot has no name."""

    literal: str
    name: str | None
    spec: str


def described() -> list[str]:
    """Every name with its unit and what it means, a line each, for people."""
    unit = max(len(field.unit) for field in FIELDS.values())
    return [f"  {name:<15}{field.unit:<{unit}}  {field.means}" for name, field in FIELDS.items()]


def parse(template: str) -> tuple[Slot, ...]:
    """Return the template's slots; raise TemplateError for anything that could fail later."""
    try:
        found = list(Formatter().parse(template))
    except ValueError:
        raise TemplateError(
            "--format: a brace is not closed; write {name}, and {{ or }} for a plain brace"
        ) from None
    return tuple(_slot(*each) for each in found)


def _slot(literal: str, name: str | None, spec: str | None, conversion: str | None) -> Slot:
    literal = " ".join(literal.splitlines())  # one line, whatever the template holds
    if name is None:
        return Slot(literal, None, "")
    if name not in FIELDS:
        raise TemplateError(f"--format: no figure is named {name!r}; there are {', '.join(FIELDS)}")
    if conversion:
        raise TemplateError(f"--format: {{{name}!{conversion}}} is not supported; leave out the !")
    _check(name, spec or "")
    return Slot(literal, name, spec or "")


def _check(name: str, spec: str) -> None:
    """Try the spec on a figure of that kind, so that a bad one fails before the first request."""
    sample = 1.5 if FIELDS[name].number else "x"
    try:
        if not _SPEC.fullmatch(spec):
            raise ValueError(spec)
        _format(sample, spec)
    except ValueError:
        kind = "a number" if FIELDS[name].number else "text"
        raise TemplateError(
            f"--format: {spec!r} is not a format for {name}, which is {kind}"
        ) from None


def fill(
    slots: tuple[Slot, ...], snapshot: Snapshot, unknown: str, width: int | None = None
) -> str:
    """Return the line; an unknown figure is `unknown`, in the width of its spec.

    Where it takes more than `width` cells, figures go from the end, each with the text before it;
    an alarm stays.
    """
    parts = [(slot.name, _part(slot, snapshot, unknown)) for slot in slots]
    while width is not None and cell_width(_line(parts)) > width:
        last = next((n for n, (name, _) in reversed([*enumerate(parts)]) if name != "alarm"), None)
        if last is None:
            break
        del parts[last]
    return _line(parts)


def _line(parts: list[tuple[str | None, str]]) -> str:
    return "".join(part for _, part in parts).rstrip()


def _part(slot: Slot, snapshot: Snapshot, unknown: str) -> str:
    """The text before a figure, and the figure."""
    shown = "" if slot.name is None else _show(slot.name, slot.spec, snapshot, unknown)
    return slot.literal + shown


def _show(name: str, spec: str, snapshot: Snapshot, unknown: str) -> str:
    field = FIELDS[name]
    value: Figure = field.get(snapshot)
    if isinstance(value, float) and not isfinite(value):
        value = None
    if value is None or (field.number and isinstance(value, str)):
        return _word(unknown if value is None else str(value), spec, right=field.number)
    return _format(clean(value) if isinstance(value, str) else value, spec or field.spec)


def _format(value: float | int | str, spec: str) -> str:
    if isinstance(value, float) and spec.endswith("d"):
        value = round(value)
    return format(value, spec)


def _word(word: str, spec: str, *, right: bool) -> str:
    """A word in place of a number, aligned as the number's spec says."""
    match = _SPEC.fullmatch(spec)
    if match is None or not match["width"]:
        return word
    align = match["align"] or (">" if right else "<")
    return format(word, f"{match['fill'] or ' '}{'>' if align == '=' else align}{match['width']}")
