"""What the terminal shows, cell by cell: of an update only the cells that differ are sent.

Textual sends whole rows with every style closed and opened anew, and paints a screen several times
where its layout changes. Between updates the style stays as it is.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from rich.color import ColorSystem
from rich.style import Style
from textual.strip import Strip

from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.terminal.changed_cells import cells_of, changed_cells

RESET = "\x1b[0m"
Piece = tuple[int, int, Strip]  # row, first column, what stands there
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "6": "25", "7": "27", "8": "28",
        "9": "29", "21": "24", "51": "54", "52": "54", "53": "55"}  # fmt: skip
_UNSEEN = frozenset("123")  # bold, dim and italic do not show on a blank


class Look(NamedTuple):
    """A style as parameters of SGR: its attributes, its colour, its background's."""

    attributes: tuple[str, ...] = ()
    color: str = ""
    background: str = ""


Cell = tuple[str, Look]
PLAIN = Look()
_UNKNOWN: Cell = ("\0", PLAIN)


class Picture:
    """The cells of one terminal and the style that it is in."""

    def __init__(self) -> None:
        self._rows: list[list[Cell]] = []
        self._look: Look | None = None

    def forget(self) -> None:
        """Another program has written there, or the size has changed: send everything again."""
        self._rows, self._look = [], None

    def send(self, pieces: Iterable[Piece], colors: ColorSystem | None) -> str:
        """What to write so that the pieces stand there."""
        parts: list[str] = []
        if self._look is None:
            self._look = PLAIN
            parts.append(RESET)
        here = (-1, -1)
        for y, x, strip in pieces:
            wanted = _cells(strip, colors)
            shown = self._shown(y)
            for span in _changed(shown, x, wanted):
                start, end = _whole_words(wanted, *span)
                if here != (y, x + start):
                    parts.append(_move(here, y, x + start))
                self._write(parts, wanted[start:end])
                here = (y, x + end)
            shown.extend([_UNKNOWN] * (x - len(shown)))
            shown[x : x + len(wanted)] = wanted
        return "".join(parts)

    def _shown(self, y: int) -> list[Cell]:
        """The row as far as it is known."""
        while len(self._rows) <= y:
            self._rows.append([])
        return self._rows[y]

    def _write(self, parts: list[str], cells: Sequence[Cell]) -> None:
        """The cells, with what turns the style in force into theirs."""
        assert self._look is not None
        for text, look in cells:
            if look is not self._look:
                after = _kept_on_blank(self._look, look) if text == " " else look
                parts.append(_turned(self._look, after))
                self._look = after
            parts.append(text)


def cursor_at(y: int, x: int) -> str:
    """The shortest sequence that puts the cursor there, wherever it is (CUP)."""
    return f"\x1b[{y + 1};{x + 1}H" if y or x else "\x1b[H"


def _move(here: tuple[int, int], y: int, x: int) -> str:
    """The same, where it is known to be: to the right in its row the column is enough (CHA)."""
    return f"\x1b[{x + 1}G" if here[0] == y and here[1] < x else cursor_at(y, x)


def _changed(shown: Sequence[Cell], x: int, wanted: Sequence[Cell]) -> list[tuple[int, int]]:
    """The spans of `wanted`, which begins at `x`, that are not shown there."""
    before = shown[x : x + len(wanted)]
    if not before:  # nothing of it is known, as in the first picture
        return [(0, len(wanted))] if wanted else []
    unknown = [_UNKNOWN] * (len(wanted) - len(before))
    return changed_cells([*before, *unknown] if unknown else before, wanted)


def _whole_words(cells: Sequence[Cell], start: int, end: int) -> tuple[int, int]:
    """The span widened to the words that it cuts, so that who reads the stream finds them."""
    while start > 0 and cells[start - 1][0].isalnum() and cells[start][0].isalnum():
        start -= 1
    while end < len(cells) and cells[end - 1][0].isalnum() and cells[end][0].isalnum():
        end += 1
    return start, end


def _cells(strip: Strip, colors: ColorSystem | None) -> list[Cell]:
    cells: list[Cell] = []
    for text, style, control in strip:
        if not control:
            look = _look(style, colors) if style else PLAIN
            cells.extend(cells_of(text, look, _on_blank(look)))
    return cells


@lru_cache(1024)
def _look(style: Style, colors: ColorSystem | None) -> Look:
    """What Rich would send to turn the style on, in its three parts."""
    attributes, color, background = (
        part.render("\0", color_system=colors).partition("\0")[0].removeprefix("\x1b[")[:-1]
        for part in (
            style.without_color.update_link(None),
            Style.from_color(style.color),
            Style.from_color(None, style.bgcolor),
        )
    )
    return Look(tuple(attributes.split(";")) if attributes else (), color, background)


@lru_cache(1024)
def _on_blank(look: Look) -> Look:
    """What can be seen of a style on a blank: most have a background and no more."""
    return look if set(look.attributes) - _UNSEEN else Look(background=look.background)


def _kept_on_blank(before: Look, blank: Look) -> Look:
    """The style in force as far as it does not show on this blank."""
    if blank.attributes or set(before.attributes) - _UNSEEN:
        return blank
    return (
        before
        if before.background == blank.background
        else before._replace(background=blank.background)
    )


@lru_cache(4096)
def _turned(before: Look, after: Look) -> str:
    """The shortest sequence from one style to another."""
    off = {_OFF[each] for each in before.attributes if each not in after.attributes}
    on = (a for a in after.attributes if a not in before.attributes or _OFF[a] in off)
    codes = [*sorted(off), *on]
    if before.color != after.color:
        codes.append(after.color or "39")
    if before.background != after.background:
        codes.append(after.background or "49")
    return f"\x1b[{';'.join(codes)}m" if codes else ""
