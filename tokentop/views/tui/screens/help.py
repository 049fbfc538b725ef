"""Help: every key and what it does, over the monitor; any key closes it."""

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from tokentop.views.tui.draw.frame import framed
from tokentop.views.tui.draw.line import Line, Look, block, joined, plain
from tokentop.views.tui.keys import KEYS, Key
from tokentop.views.tui.theme import StyleTable
from tokentop.views.tui.widgets.panel import Panel

GROUPS = ("Views", "Lists", "Polling", "Program")
_COLUMN = 46


def help_lines(width: int, height: int, look: Look) -> list[Line]:
    """The table of keys in exactly `height` lines of `width` cells, in one or two columns."""
    blocks = [_group(name) for name in GROUPS]
    if width >= 2 * _COLUMN + 6:
        left, right = [*blocks[0], [], *blocks[1]], [*blocks[2], [], *blocks[3]]
        rows = _beside(left, right)
    else:
        rows = [line for group in blocks for line in group]
    drawn = framed(rows, "Keys", [("any key closes", "dim")], width, height, look)
    return plain(drawn) if look.ascii else drawn


def _group(name: str) -> list[Line]:
    keys = [key for key in KEYS if key.group == name and key.shown]
    return [[(name, "title")], *map(_row, keys)]


def _row(key: Key) -> Line:
    return [(f"  {key.shown:<8}", "key"), (key.words, "text")]


def _beside(left: list[Line], right: list[Line]) -> list[Line]:
    height = max(len(left), len(right))
    return [
        joined([a, b], "")
        for a, b in zip(block(left, _COLUMN, height), block(right, _COLUMN, height), strict=True)
    ]


def help_size(width: int, height: int) -> tuple[int, int]:
    """The box's size on a screen of `width` x `height`."""
    two = width >= 2 * _COLUMN + 6
    sizes = [len(_group(name)) for name in GROUPS]
    tallest = max(sizes[0] + sizes[1], sizes[2] + sizes[3]) + 1
    wanted = (2 * _COLUMN + 6, tallest + 2) if two else (_COLUMN + 6, sum(sizes) + 2)
    return min(width, wanted[0]), min(height, wanted[1])


class HelpScreen(ModalScreen[None], inherit_bindings=False):
    """The table of keys; any key or click closes it, q quits as everywhere."""

    def __init__(self, styles: StyleTable, look: Look) -> None:
        super().__init__()
        self._look = look
        self._panel = Panel("help", styles)
        self._table = styles

    def compose(self) -> ComposeResult:
        yield self._panel

    def on_resize(self, event: events.Resize) -> None:
        width, height = help_size(event.size.width, event.size.height)
        self._panel.styles.width, self._panel.styles.height = width, height
        self._panel.show(help_lines(width, height, self._look), self._table)

    async def on_key(self, event: events.Key) -> None:
        event.stop()
        if event.key == "q":
            await self.app.action_quit()
        else:
            self.dismiss()

    def on_click(self) -> None:
        self.dismiss()
