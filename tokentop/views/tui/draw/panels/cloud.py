"""The rented cloud instances: GPU type, region, status, price."""

from tokentop.domain.presence import has_stack, rents
from tokentop.domain.snapshot import CloudInstance, Snapshot
from tokentop.domain.text import DASH, clean, fit, fmt_usd
from tokentop.views.tui.draw.kit.format import per_hour
from tokentop.views.tui.draw.kit.glyphs import age, old
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, dimmed, exact, sentence
from tokentop.views.tui.draw.kit.table import Column
from tokentop.views.tui.draw.layout import LARGE, MEDIUM, NO_STACK, STACK, Place, SharedRow
from tokentop.views.tui.draw.layout_inputs import LayoutInputs, waiting
from tokentop.views.tui.draw.panel import Panel


def lines(snapshot: Snapshot, width: int, height: int, _options: DrawOptions) -> list[Line]:
    """The table in exactly `height` lines of `width` cells; where rows are cut it says how many."""
    rented = snapshot.cloud.instances
    if not rented:
        return sentence(_absence(snapshot), width, height)
    cols = columns(width, rented)
    rows = [_row(i, cols) for i in rented]
    if len(rows) > height > 1:
        rows = [*rows[: height - 1], [(f"1–{height - 1} of {len(rows)}", "dim")]]
    elif len(rows) > height:
        rows = [_row(rented[0], cols, f"1 of {len(rows)}")]
    body = block(rows, width, height)
    return dimmed(body) if snapshot.cloud.stale else body


def heads(snapshot: Snapshot, width: int, _height: int, _options: DrawOptions) -> Line:
    """The column headings."""
    rented = snapshot.cloud.instances
    if not rented:
        return []
    return [("  ".join(fit(c.head, c.width, c.align) for c in columns(width, rented)), "dim")]


def title(snapshot: Snapshot, options: DrawOptions) -> str:
    """The title with how many are rented; where there is no summary, with their age."""
    if snapshot.cloud.stale and options.summary_hidden:
        return f"cloud · {old(snapshot.cloud.age_s, options)}"
    rented = len(snapshot.cloud.instances or ())
    return f"cloud · {rented} rented" if rented else "cloud instances"


def summary(snapshot: Snapshot, options: DrawOptions) -> Line:
    """How many serve, and what all of them cost an hour."""
    cloud = snapshot.cloud
    if cloud.stale:
        return [(f"stale · {age(cloud.age_s, options)}", "stale")]
    if cloud.active is None or not cloud.instances:
        return []
    return [(str(cloud.active), "bright"), (f" active · {per_hour(cloud.usd_per_hour)}", "dim")]


def columns(width: int, rented: tuple[CloudInstance, ...]) -> list[Column]:
    """The columns that fit; the first one takes what the others leave.

    Providers know no model: where nothing names one, the region has that room.
    """
    model, region = max(8, width // 4), 8 if width < 60 else 12
    named = any(one.model for one in rented)
    wide = [
        (38, Column("region", "region", region if named else region + model, "left")),
        (0, Column("status", "status", 9 if width < 36 else 12, "left")),
        *([(56, Column("model", "model", model, "left"))] if named else []),
        (24, Column("price", "$/h", 6)),
    ]
    kept = [c for least, c in wide if width >= least]
    spent = sum(c.width + 2 for c in kept)
    return [Column("gpu", "GPU", max(0, width - spent), "left"), *kept]


def _row(instance: CloudInstance, cols: list[Column], position: str = "") -> Line:
    """One instance; `position` stands in the first column, at its end."""
    texts = {
        "gpu": clean(instance.gpu or DASH, 60),
        "region": _where(instance),
        "status": clean(instance.status or DASH, 60),
        "model": clean(instance.model or DASH, 60),
        "price": fmt_usd(instance.usd_per_hour),
    }
    style = {"gpu": "text", "price": "bright", "status": "active" if instance.active else "dim"}
    line: Line = []
    for c in cols:
        line += [("  ", "text")] if line else []
        line.append((fit(texts[c.key], c.width, c.align), style.get(c.key, "dim")))
    if position:
        room = cols[0].width
        gpu = fit(texts["gpu"], max(0, room - len(position) - 1))
        line[:1] = exact([(gpu + " ", "text"), (position, "dim")], room)
    return line


def _where(instance: CloudInstance) -> str:
    """The region, with the provider where several lists are shown as one."""
    return " · ".join(clean(w, 60) for w in (instance.provider, instance.region) if w) or DASH


def _absence(snapshot: Snapshot) -> str:
    if snapshot.cloud.instances is not None:
        return "Nothing is rented."
    if rents(snapshot) and not has_stack(snapshot):
        silent = (one for one in snapshot.services if one.kind == "offers" and one.error)
        return next((f"{one.name}: {one.error}" for one in silent), "Waiting for the list…")
    return "Waiting for Compute…" if waiting(snapshot) else "Compute has not listed its instances."


def _places(inputs: LayoutInputs) -> tuple[Place | SharedRow, ...]:
    """Beside the stack's figures; elsewhere beside the capacity."""
    return (
        SharedRow(LARGE, "metrics", 6, STACK),
        Place(MEDIUM, 11, (2, 3), "rule", 1, grow_last=True, contents=STACK),
        *((SharedRow(LARGE, "capacity", 1, NO_STACK),) if inputs.rents else ()),
    )


PANEL = Panel(
    "cloud",
    lines,
    title,
    summary,
    heads,
    places=_places,
    ticks=lambda snapshot: snapshot.cloud.stale,
)
