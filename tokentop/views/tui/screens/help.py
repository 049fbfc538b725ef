"""Help over the monitor: the keys, and what the words mean; `?` turns the page."""

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.geometry import Size

from tokentop.domain.text import fit
from tokentop.views.glossary import GLOSSARY
from tokentop.views.tui.draw.kit.frame import framed
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, ascii_lines, block, window, wrapped
from tokentop.views.tui.keys import KEYS, Key, replay_table
from tokentop.views.tui.screens.overlay import FRAME, Overlay
from tokentop.views.tui.terminal.box_screen import BoxScreen
from tokentop.views.tui.theme import StyleTable
from tokentop.views.tui.widgets.panel import Panel

LEFT, RIGHT = ("Views", "Program"), ("Lists", "Polling", "Playing", "Actions")
IN_ONE = ("Views", "Lists", "Polling", "Playing", "Actions", "Program")
_NARROW, _WIDE = 36, 46  # cells of a column
_EDGE = 4
_WORD = 14  # cells of the longest word, and a gap
TITLES = ("Keys", "Glossary")
_PAGE = 1000  # stands for a page, which the size decides
_MOVES = {
    "down": 1, "j": 1, "up": -1, "k": -1, "pagedown": _PAGE, "pageup": -_PAGE,
    "home": -_PAGE**2, "g": -_PAGE**2, "end": _PAGE**2, "G": _PAGE**2,
}  # fmt: skip


def help_lines(width: int, height: int, options: DrawOptions, page: int = 0) -> list[Line]:
    """A page as `height` lines of `width` cells, from row `options.offset` on."""
    rows = _rows(width, page, table_of(options))
    inside = (max(1, width - _EDGE), max(1, height - 2))
    hint = f"? {TITLES[1 - page].lower()} · " if width > _WIDE else ""
    hint += "other keys close" if len(rows) > inside[1] else "any other key closes"
    drawn = framed(
        window(rows, *inside, options.offset),
        TITLES[page],
        [(hint, "dim")],
        width,
        height,
        style=FRAME,
    )
    return ascii_lines(drawn) if options.ascii else drawn


def table_of(options: DrawOptions) -> Sequence[Key]:
    """The keys that do something here."""
    return KEYS if options.timeline is None else replay_table()


def help_size(
    width: int, height: int, page: int = 0, table: Sequence[Key] = KEYS
) -> tuple[int, int]:
    """The box's size on a screen of `width` x `height`."""
    column = _column(width)
    wanted = 2 * column + _EDGE if column else _WIDE + _EDGE
    box = min(width, wanted)
    return box, min(height, len(_rows(box, page, table)) + 2)


def moved(
    key: str, offset: int, width: int, height: int, page: int = 0, table: Sequence[Key] = KEYS
) -> int | None:
    """The offset after a key that scrolls the box of that size; None if the key closes it."""
    count, room = len(_rows(width, page, table)), height - 2
    if count <= room or key not in _MOVES:
        return None
    step = _MOVES[key]
    rows = max(1, room - 2) * (1 if step > 0 else -1) if abs(step) == _PAGE else step
    return max(0, min(count - (room - 1), offset + rows))


def _column(width: int) -> int:
    """Cells of each of two columns; 0 where there is room for one only."""
    room = (width - _EDGE) // 2
    return min(_WIDE, room) if room >= _NARROW else 0


def _rows(width: int, page: int, table: Sequence[Key]) -> list[Line]:
    return _words(width - _EDGE) if page else _keys(width, table)


def _words(width: int) -> list[Line]:
    """The glossary, group by group, each meaning wrapped beside its word."""
    rows: list[Line] = []
    for name, terms in GLOSSARY.items():
        rows += [*([[]] if rows else []), [(name, "title")]]
        for term in terms:
            found = wrapped(term.meaning, max(12, width - _WORD - 1), 4)
            words = [term.word, *[""] * (len(found) - 1)]
            pairs = zip(words, found, strict=True)
            rows += [[(f" {fit(word, _WORD)}", "key"), (text, "text")] for word, text in pairs]
    return rows


def _keys(width: int, table: Sequence[Key]) -> list[Line]:
    """The keys, group by group, side by side from 76 cells on."""
    column = _column(width)
    if not column:
        return [line for line in _groups(IN_ONE, table) if line]
    left, right = _groups(LEFT, table), _groups(RIGHT, table)
    height = max(len(left), len(right))
    pairs = zip(block(left, column, height), block(right, column, height), strict=True)
    return [[*a, *b] for a, b in pairs]


def _groups(names: Sequence[str], table: Sequence[Key]) -> list[Line]:
    """The keys of these groups, a blank line between two."""
    rows: list[Line] = []
    for name in names:
        keys = [key for key in table if key.group == name and key.shown]
        rows += [*([[]] if rows and keys else []), *([[(name, "title")]] if keys else [])]
        rows += map(_row, keys)
    return rows


def _row(key: Key) -> Line:
    return [(f" {key.shown:<8}", "key"), (key.label, "text")]


class HelpScreen(BoxScreen, Overlay, inherit_bindings=False):
    """The keys, then the glossary; any other key or a click closes it, q quits as everywhere."""

    def __init__(self, styles: StyleTable, options: DrawOptions) -> None:
        super().__init__()
        self._options = options._replace(offset=0)
        self._page = 0
        self._panel = Panel("help", styles)
        self._style_table = styles

    def compose(self) -> ComposeResult:
        yield self._panel

    def on_resize(self, event: events.Resize) -> None:
        self._show(*self._box(event.size))

    def _box(self, screen: Size) -> tuple[int, int]:
        return help_size(*screen, self._page, table_of(self._options))

    def _show(self, width: int, height: int) -> None:
        self._panel.styles.width, self._panel.styles.height = width, height
        self._panel.show(help_lines(width, height, self._options, self._page), self._style_table)

    async def on_key(self, event: events.Key) -> None:
        event.stop()
        if not self.is_active:  # closed by an earlier key: this one is for the screen below
            self.app.post_message(events.Key(event.key, event.character))
        elif event.key == "q":
            await self.app.action_quit()
        elif event.key == "y" and self.selections:
            await self.app.run_action("copy")
        elif event.key in ("question_mark", "f1"):
            self._turn()
        elif not self._scrolled(event.key):
            self.dismiss()

    def _turn(self) -> None:
        """Show the other page from its first row."""
        self._page = 1 - self._page
        self._options = self._options._replace(offset=0)
        self._show(*self._box(self.size))

    def _scrolled(self, key: str) -> bool:
        size = self._box(self.size)
        offset = moved(key, self._options.offset, *size, self._page, table_of(self._options))
        if offset is None:
            return False
        self._options = self._options._replace(offset=offset)
        self._show(*size)
        return True

    def on_mouse_scroll_down(self) -> None:
        self._scrolled("down")

    def on_mouse_scroll_up(self) -> None:
        self._scrolled("up")

    def on_click(self) -> None:
        if not self.selections:  # else it is the end of a drag
            self.dismiss()
