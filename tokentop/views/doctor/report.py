"""The doctor's report as aligned text, as readable in a pipe; no I/O."""

from tokentop.domain.text import cell_width, clean
from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple
from tokentop.views.plain import ascii_only

Mark = Literal["ok", "warn", "fail", "off", "info"]

# symbol, ASCII stand-in, word, SGR
_MARKS: dict[Mark, tuple[str, str, str, str]] = {
    "ok": ("●", "+", "ok", "32"),
    "warn": ("▲", "!", "warn", "33"),
    "fail": ("■", "x", "fail", "31"),
    "off": ("○", "-", "off", "2"),
    "info": ("·", ".", "", "2"),
}
_INDENT = 12  # cells before a piece of advice
_MIN_WIDTH = 40


class Row(NamedTuple):
    """One finding; `todo` is what to do about it."""

    mark: Mark
    name: str
    found: str
    todo: str | None = None


class Section(NamedTuple):
    title: str
    rows: tuple[Row, ...]


class Page(NamedTuple):
    """How to draw: colours or none, ASCII or not, and where lines of words are folded."""

    color: bool = False
    ascii: bool = False
    width: int = 100


def render(sections: tuple[Section, ...], page: Page) -> str:
    """Return the report; every line ends without blanks."""
    blocks = ["\n".join(_section(section, page)) for section in sections]
    return "\n\n".join(blocks) + "\n"


def _section(section: Section, page: Page) -> list[str]:
    column = max((cell_width(row.name) for row in section.rows), default=0)
    lines = [_paint(_ascii(section.title, page), "1", page)]
    for row in section.rows:
        lines += _row(row, column, page)
    return lines


def _row(row: Row, column: int, page: Page) -> list[str]:
    symbol, plain, word, code = _MARKS[row.mark]
    head = f"{plain if page.ascii else symbol} {word:<4}"
    name = _ascii(row.name, page)
    gap = " " * (column - cell_width(row.name))
    start = 2 + 6 + 2 + column + 2
    found = _fold(_ascii(row.found, page), start, page.width)
    lines = [f"  {_paint(head, code, page)}  {name}{gap}  {found}".rstrip()]
    if row.todo:
        arrow = "->" if page.ascii else "→ "
        todo = _fold(_ascii(row.todo, page), _INDENT + 3, page.width)
        lines.append(" " * _INDENT + f"{arrow} {todo}")
    return lines


def _fold(words: str, start: int, width: int) -> str:
    """Fold at blanks into lines that begin at cell `start`; a long word is never broken."""
    room = max(_MIN_WIDTH, width - start)
    lines = [""]
    for word in clean(words, 2000).split(" "):
        if lines[-1] and cell_width(lines[-1]) + 1 + cell_width(word) > room:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return ("\n" + " " * start).join(lines)


def _paint(text: str, code: str, page: Page) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if page.color else text


def _ascii(text: str, page: Page) -> str:
    return ascii_only(text) if page.ascii else text
