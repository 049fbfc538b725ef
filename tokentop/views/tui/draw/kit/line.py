"""Lines of styled text, the operations every panel is built from, and DrawOptions."""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from tokentop.domain.engines.history import Trends
from tokentop.domain.history import Sample
from tokentop.domain.hosts import HostRow
from tokentop.domain.ledger.listing import Page
from tokentop.domain.policy import CostPolicy
from tokentop.domain.text import cell_width, fit
from tokentop.domain.timeline import Timeline
from tokentop.domain.verdict.values import Event
from tokentop.named_tuple import NamedTuple

Span = tuple[str, str]  # text, style name (see palette.STYLES)
Line = list[Span]

_NEVER_STALE = frozenset({"track", "frame", "free", "title"})


class LedgerOptions(NamedTuple):
    """What the ledger's views depend on besides the snapshot.

    `sort`, `reverse` and `cursor` (a Row.key) are of the budgets; `page` are the entries that were
    read for the view, `entry` the identity of the one under the cursor. `wall` is now in Unix
    seconds, `local` gives the local time of such.
    """

    sort: str = "clock"
    reverse: bool = False
    cursor: str = ""
    page: Page = Page()
    entry: str = ""
    wall: float = 0.0
    local: Callable[[float], time.struct_time] = time.gmtime


class DrawOptions(NamedTuple):
    """Everything besides the snapshot that a panel's lines depend on.

    `elapsed_s` is the time since the snapshot was folded, so that ages tick between polls;
    `clock` is the wall clock as text. `sort` and `filter` are of the GPU pool, `offset` of the list
    or page that scrolls; `filtering` is true while a filter is typed. `reverse` and
    `engine_reverse`: the GPU pool, or the engines' table, stands upside down. `engine_sort`,
    `engine_filter` and `cursor` (an Engine.id) are of the engines' table. Silent burn above the
    share `burn_at` is marked. `hosts`: GPUs of other hosts always have their host's name.
    `process_sort`, `process_reverse` and `process_cursor` (a Row.key; "" for the first) are of the
    GPU page's processes, which have none of them on the dashboard. `summary_hidden`: the border
    shows no summary, so stale figures have their age inside.
    `events` are the run's, oldest first, each with its local time; only their own view has them.
    `fleet`, `host_sort`, `host_reverse` and `host_cursor` (a HostRow.key) are of the hosts' table;
    the last is on a dashboard that was opened from there as well.
    `samples`: the last hour up to monotonic `now`, for the panels with sparklines; `trends` are
    an engine's own, by Engine.id.
    `ledger` is of the budgets and the ledger.
    `records` is false while a recording that is wanted cannot be written.
    A replay has a `timeline`, and `jump` while the moment to go to is typed.
    `search`: engines are looked for on `hosts_searched`, also at the user's `ports_searched`;
    `searched` are the addresses that the last search had room for, and all that it had.
    """

    ascii: bool = False
    elapsed_s: float = 0.0
    clock: str = ""
    paused: bool = False
    insecure_tls: bool = False
    sort: str = "index"
    filter: str = ""
    filtering: bool = False
    offset: int = 0
    compact: bool = False
    hidden: frozenset[str] = frozenset()
    interval_s: float | None = None
    notice: str = ""
    engine_sort: str = "model"
    engine_filter: str = ""
    cursor: str | None = None
    process_sort: str = "gpu"
    process_reverse: bool = False
    process_cursor: str | None = None
    burn_at: float = CostPolicy().silent_burn_at
    hosts: bool = False
    summary_hidden: bool = False
    search: bool = True
    hosts_searched: tuple[str, ...] = ("127.0.0.1",)
    ports_searched: tuple[int, ...] = ()
    searched: tuple[int, int] = (0, 0)
    samples: Sequence[Sample] = ()
    now: float = 0.0
    trends: Callable[[str], Trends] = lambda _: Trends()
    records: bool = True
    reverse: bool = False
    engine_reverse: bool = False
    events: Sequence[tuple[str, Event]] = ()
    timeline: Timeline | None = None
    jump: str | None = None
    fleet: Sequence[HostRow] = ()
    host_sort: str = "name"
    host_reverse: bool = False
    host_cursor: str = ""
    ledger: LedgerOptions = LedgerOptions()


@lru_cache(maxsize=1024)
def text_width(text: str) -> int:
    """cell_width, cached: most words on the screen are the same from poll to poll."""
    return cell_width(text)


def span_width(line: Iterable[Span]) -> int:
    """Cells a line takes."""
    return sum([text_width(text) for text, _ in line])


def crop(line: Line, width: int) -> Line:
    """The line's first `width` cells; a cut word ends in an ellipsis."""
    kept: Line = []
    room = max(0, width)
    for text, style in line:
        size = text_width(text)
        if size > room:
            return [*kept, (fit(text, room), style)] if room else kept
        kept.append((text, style))
        room -= size
    return kept


def exact(line: Line, width: int) -> Line:
    """The line cut or padded to exactly `width` cells."""
    size, width = span_width(line), max(0, width)
    if size > width:
        line = crop(line, width)
        size = span_width(line)
    return line if size == width else [*line, (" " * (width - size), "text")]


def sides(left: Line, right: Line, width: int) -> Line:
    """`left` and `right` at the two ends of `width` cells; the left one is cut first."""
    room = max(0, width - span_width(right))
    return exact([*exact(left, room), *right], width)


def block(lines: Sequence[Line], width: int, height: int) -> list[Line]:
    """Exactly `height` lines of exactly `width` cells."""
    kept = [exact(line, width) for line in lines[: max(0, height)]]
    return kept + [exact([], width) for _ in range(max(0, height) - len(kept))]


def window(rows: Sequence[Line], width: int, height: int, offset: int) -> list[Line]:
    """A page of text from row `offset` on.

    Where it does not fit, the last line gives the position, and `height - 1` rows are shown.
    """
    if len(rows) <= height or height < 2:
        return block(rows, width, height)
    room = height - 1
    start = max(0, min(offset, len(rows) - room))
    place = f"{start + 1}–{start + room} of {len(rows)}"
    end: Line = [(place, "text"), (" · j k to scroll", "dim")]
    return block([*rows[start : start + room], end], width, height)


def middle(lines: Sequence[Line], height: int) -> list[Line]:
    """Lines moved down to the middle of `height`."""
    above = max(0, (height - len(lines)) // 2)
    return [*([[]] * above), *lines]


def joined(parts: Iterable[Line], gap: str = "  ") -> Line:
    """Parts side by side with a gap between; empty ones are left out."""
    line: Line = []
    for part in parts:
        if part:
            line += [(gap, "dim"), *part] if line else part
    return line


def first_fit(choices: Sequence[Line], width: int) -> Line:
    """The first choice that fits in `width`, else the last one."""
    return next((c for c in choices if span_width(c) <= width), choices[-1])


def sentence(text: str, width: int, height: int) -> list[Line]:
    """What a panel without data shows: one sentence in the room it would take."""
    words = [[(row, "dim")] for row in wrapped(text, width, max(1, height - 1))]
    return block(words if height < 4 else [[], *words], width, height)


def wrapped(text: str, width: int, most: int) -> list[str]:
    """`text` broken between words into at most `most` rows; the last one has the rest."""
    rows = [""]
    for word in text.split():
        longer = f"{rows[-1]} {word}".strip()
        if cell_width(longer) > width and rows[-1] and len(rows) < most:
            rows.append(word)
        else:
            rows[-1] = longer
    return rows


def dimmed(lines: Iterable[Line]) -> list[Line]:
    """The lines of a stale panel: the last good figures without their colours."""
    return [[(text, _stale_style(style)) for text, style in line] for line in lines]


def _stale_style(style: str) -> str:
    if style in _NEVER_STALE:
        return style
    return "bar.stale" if style.startswith(("area", "bar", "fill", "hold")) else "stale"


_STAND_INS = str.maketrans(
    {
        **dict.fromkeys("█▉▊▋▌▀▄", "#"), **dict.fromkeys("▍▎▏", " "),
        "▓": "=", "▒": "+", "░": ".", "─": "-", "━": "=", "╸": "=", "│": "|", "╵": "|", "┊": "|",
        **dict.fromkeys("╭╮╰╯├┤┬┴┼", "+"), "╌": "-", "┄": "-",
        "·": ".", "×": "x", "—": "-", "–": "-", "…": "~", "°": "'", "≈": "~", "≥": ">", "≤": "<",
        "●": "@", "○": "o", "▸": ">", "▾": "v", "▴": "^", "↑": "^", "↓": "v", "↕": "|",
        "←": "<", "→": ">", "▲": "^", "▼": "v", "■": "#", "□": ".", "❯": ">", "└": "`",
        **dict.fromkeys("▔▁", "-"), "“": '"', "”": '"',
    }
)  # fmt: skip


def ascii_lines(lines: Iterable[Line]) -> list[Line]:
    """The same lines in ASCII, cell for cell; a character without a stand-in becomes '?'."""
    return [[(ascii_text(text), style) for text, style in line] for line in lines]


def ascii_text(text: str) -> str:
    """`text` in ASCII, cell for cell; a character without a stand-in becomes '?'."""
    if text.isascii():
        return text
    swapped = text.translate(_STAND_INS)
    return "".join(c if c.isascii() else "?" * cell_width(c) for c in swapped)
