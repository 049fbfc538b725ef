"""One entry in full: what was booked, and what its credits were computed from."""

import time

from tokentop.domain.economy.valuation_explained import thousandths
from tokentop.domain.ledger.listing import Listed, Page
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import CostInput
from tokentop.domain.text import DASH, clean, fit, fmt_bytes
from tokentop.views.tui.draw.kit.format import span
from tokentop.views.tui.draw.kit.line import DrawOptions, LedgerOptions, Line, sentence, window
from tokentop.views.tui.draw.panel import Panel
from tokentop.views.tui.draw.panels.ledger import entry_rows

_LABEL = 20
_TEXTS = (
    ("project", "project"), ("team", "team"), ("model", "model"), ("provider", "provider"),
    ("engine", "engine"), ("task", "task"), ("session", "session"), ("request", "request"),
    ("feed", "reported by"), ("authenticated", "checked by gateway"), ("gpu", "GPU"),
    ("reverses", "takes back"),
)  # fmt: skip
Facts = list[tuple[str, str]]


def panel(identity: str) -> Panel:
    """The panel of the entry with that identity."""

    def inside(_: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
        row = find(options.ledger.page, identity)
        if row is None:
            return sentence("This entry is not among those read; esc goes back.", width, height)
        return window(page(row, width, options.ledger), width, height, options.offset)

    def summary(_: Snapshot, options: DrawOptions) -> Line:
        row = find(options.ledger.page, identity)
        return [(entry_rows.outcome(row), "dim")] if row is not None else []

    return Panel("entry", inside, "entry", summary)


def find(page: Page, identity: str) -> Listed | None:
    """The entry with that identity among those read."""
    return next((row for row in page.rows if row.entry.identity == identity), None)


def page(row: Listed, width: int, look: LedgerOptions) -> list[Line]:
    """All rows of the page, whatever the height."""
    return [
        *_table("booked", _booked(row, look), width),
        [],
        *_table("tokens", _tokens(row), width),
        [],
        *_valuation(row, width),
    ]


def _booked(row: Listed, look: LedgerOptions) -> Facts:
    entry = row.entry
    texts = ((label, getattr(entry, name)) for name, label in _TEXTS)
    facts = [
        ("time", _moment(entry.at_us, look)),
        ("booked", f"{_moment(entry.booked_us, look)}, entry {entry.seq:,} of {entry.writer}"),
        ("outcome", entry_rows.outcome(row)),
        ("who", row.user or DASH),
        *([("end user", row.end_user)] if row.end_user else []),
        *((label, text) for label, text in texts if text),
        ("identity", entry.identity),
    ]
    return [(label, clean(text, 200)) for label, text in facts]


def _moment(at_us: int, look: LedgerOptions) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", look.local(at_us / 1e6))


def _tokens(row: Listed) -> Facts:
    """Exact counts, and what else was measured of the request."""
    entry = row.entry
    about = "≈" if entry.estimated else ""
    counts: Facts = [
        (name, DASH if value is None else f"{about}{value:,}")
        for name in ("prompt", "cached", "generated", "reasoning")
        for value in (getattr(entry, name),)
    ]
    if entry.duration_ms is not None:
        counts.append(("duration", span(entry.duration_ms / 1000)))
    if entry.gpu_ms is not None:
        counts.append(("GPU-seconds", thousandths(entry.gpu_ms)))
    if entry.transfer_bytes is not None:
        counts.append(("transfer", fmt_bytes(entry.transfer_bytes)))
    return counts


def _valuation(row: Listed, width: int) -> list[Line]:
    """The credits with their inputs, and the feed's own price beside them."""
    entry = row.entry
    value = f"  {entry_rows.of_credits(entry.milli_credits)} credits"
    inputs = [_input(each, width) for each in row.valuation]
    if not inputs:
        inputs = [[("  its GPU time, or its model's price, is not known", "dim")]]
    price = CostInput("list price in USD", entry_rows.usd(entry.micro_usd), entry.feed)
    return [[("value", "title"), (value, "bright")], *inputs, _input(price, width)]


def _input(each: CostInput, width: int) -> Line:
    """What, how much, and where that comes from; as the costs have it."""
    label = max(8, min(44, width - 32))
    return [
        ("  " + fit(clean(each.label, 60), label), "dim"),
        (fit(clean(each.value, 24), 10, "right"), "text"),
        ("  " + clean(each.source, 60), "dim"),
    ]


def _table(title: str, facts: Facts, width: int) -> list[Line]:
    label = min(_LABEL, max(8, width // 3))
    rows: list[Line] = [[("  " + fit(name, label), "dim"), (text, "text")] for name, text in facts]
    return [[(title, "title")], *rows]
