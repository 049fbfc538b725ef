"""How the costs were computed: every figure with its inputs and where those come from."""

from tokentop.domain.economy.live_prices import credits_explained
from tokentop.domain.fold.last_good import listed
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import Cost, Explanation
from tokentop.domain.text import DASH, clean, fit, fmt_duration, fmt_usd
from tokentop.views.tui.draw.kit import format as fmt
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, window, wrapped
from tokentop.views.tui.draw.panel import Panel

_NAMES = {
    "usd_per_hour": ("USD per hour, now", ""),
    "usd_per_mtok_reserved": ("USD per 1M generated, all time", "reserved hours count"),
    "usd_per_mtok_busy": ("USD per 1M generated, busy time", "only while requests ran"),
    "usd_per_mtok_best": ("USD per 1M generated, best seen", "at the best throughput"),
    "reference_usd_per_mtok": ("the reference", "as configured"),
    "credits_per_request": ("credits per request", ""),
    "next_gpu_usd_per_hour": ("one more GPU, USD per hour", ""),
    "kwh_per_mtok": ("kWh per 1M generated", "the GPUs alone"),
}
_UNSET = (
    "No price is configured, so none is shown. Set what the machine costs in the configuration:",
)
_NEEDS = (
    "A price is set and no GPU of this host is known: set gpus in [cost] to how many you pay for."
)
_GAPS = "For a part of the time the tokens of {names} are not known: a token really costs less."
_EXAMPLE = (
    "[cost]",
    "usd_per_gpu_hour = 2.40     # rented",
    "purchase_usd = 24000        # or owned: with months and usd_per_kwh",
    "months = 36",
    "usd_per_kwh = 0.31",
)


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The page in exactly `height` lines of `width` cells, from row `options.offset` on."""
    rows = page(snapshot, width, options)
    return window(rows, width, height, options.offset)


def summary(snapshot: Snapshot, _options: DrawOptions) -> Line:
    """What the price is of, and for how long it was measured."""
    cost = snapshot.cost
    basis = {"rented": "rented", "owned": "owned", "electricity": "electricity alone"}
    words = basis.get(cost.basis or "", "no price set")
    span = f" · measured {fmt_duration(cost.measured_s)}" if cost.measured_s else ""
    return [(words + span, "dim")]


def page(snapshot: Snapshot, width: int, options: DrawOptions | None = None) -> list[Line]:
    """All rows, whatever the height."""
    cost, money = snapshot.cost, fmt.prices(snapshot, options or DrawOptions())
    rows: list[Line] = []
    for each in (*cost.explained, *credits_explained(snapshot)):
        rows += [*_figure(each, money.get(each.figure, fmt_usd(each.value)), width), []]
    if cost.basis is None:
        rows += [[(row, "text")] for row in wrapped(_UNSET[0], width, 4)]
        rows += [[], *([("  " + row, "dim")] for row in _EXAMPLE)]
    rows += _notes(cost, width)
    return rows


def _figure(each: Explanation, money: str, width: int) -> list[Line]:
    name, remark = _NAMES.get(each.figure, (clean(each.figure, 60), ""))
    shown = money
    if each.figure in ("kwh_per_mtok", "credits_per_request"):
        shown = DASH if each.value is None else f"{each.value:.4g}"
    room = min(width, 76)
    head: Line = [
        (fit(name, max(1, min(36, room - 12))), "title"),
        (fit(shown, 10, "right"), "dim" if shown == DASH else "bright"),
        ("  " + remark, "dim"),
    ]
    label = max(8, min(34, room - 32))
    inputs: list[Line] = [
        [
            ("  " + fit(clean(i.label, 60), label), "dim"),
            (fit(clean(i.value, 24), 10, "right"), "text"),
            ("  " + clean(i.source, 60), "dim"),
        ]
        for i in each.inputs
    ]
    return [head, *inputs]


def _notes(cost: Cost, width: int) -> list[Line]:
    """What the figures leave out, and the key without which there are none."""
    notes = [_NEEDS] if cost.needs else []
    if cost.gaps:
        names = listed(tuple(clean(gap.engine, 60) for gap in cost.gaps))
        notes.append(_GAPS.format(names=names))
    return [row for note in notes for row in ([], *_warning(note, width))]


def _warning(text: str, width: int) -> list[Line]:
    return [[(row, "warn")] for row in wrapped(text, width, 3)]


PANEL = Panel("costs", lines, "how this was computed", summary)
