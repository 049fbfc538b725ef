"""What a terminal shows after a stream of bytes: text only, of the sequences that the app sends."""

import re

from tokentop.domain.text import cell_width

_PIECE = re.compile(
    r"\x1b\[(?P<move>\d+;\d+|)H"
    r"|\x1b\[(?P<column>\d+)G"
    r"|\x1b\[[0-9;?<>=$]*[A-Za-z]"  # modes, colours, queries: no cell changes
    r"|\x1b\][^\x07]*\x07"  # an operating system command, such as the clipboard
    r"|(?P<control>[\r\n])"
    r"|(?P<text>[^\x1b\r\n]+)"
    r"|(?P<unknown>.)",
    re.DOTALL,
)


def shown(stream: str, width: int, height: int) -> str:
    """The screen as text, one line a row; an unknown sequence fails the test."""
    grid = [[" "] * width for _ in range(height)]
    x = y = 0
    for piece in _PIECE.finditer(stream):
        assert not piece["unknown"], f"unknown sequence {stream[piece.start() :][:20]!r}"
        if piece["move"] is not None:
            y, x = (int(number) - 1 for number in (piece["move"] or "1;1").split(";"))
        elif piece["column"]:
            x = int(piece["column"]) - 1
        elif piece["control"]:
            x, y = (0, y) if piece["control"] == "\r" else (x, y + 1)
        for char in piece["text"] or "":
            cells = cell_width(char)
            if cells == 0:
                grid[y][x - 1] += char
                continue
            grid[y][x : x + cells] = [char, *[""] * (cells - 1)]
            x += cells
    return "\n".join("".join(row) for row in grid)
