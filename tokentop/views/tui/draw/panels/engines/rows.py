"""The engines as rows: groups, order, filter, which columns fit, which rows are on screen."""

from collections.abc import Callable, Sequence

from tokentop.domain.snapshot_engines import Engine
from tokentop.domain.text import cell_width, clean
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.kit.format import engine_name, state, state_words
from tokentop.views.tui.draw.kit.table import Column
from tokentop.views.tui.draw.sorts import ENGINE_SORTS

FIGURES = ENGINE_SORTS[2:7]  # the largest first
# Sorted by state, what needs attention comes first.
_STATES = (
    "auth-required", "offline", "backing-off", "stale", "names-only", "no-metrics", "starting",
    "asleep", "online",
)  # fmt: skip


class Row(NamedTuple):
    """An engine, or the heading of a group with its members."""

    engine: Engine | None
    group: str = ""
    members: tuple[Engine, ...] = ()


def listed(
    engines: Sequence[Engine], sort: str = "model", wanted: str = "", *, reverse: bool = False
) -> list[Row]:
    """The rows that match the filter, sorted, group by group; reversed, the unknown stay last."""
    figures = reverse and sort in FIGURES
    found = (e for e in engines if _matches(e, wanted))
    kept = sorted(found, key=_key(sort, -1.0 if figures else 1.0), reverse=reverse and not figures)
    if not any(e.group for e in engines):
        return [Row(e) for e in kept]
    groups: dict[str, list[Engine]] = {}
    for engine in kept:
        groups.setdefault(engine.group or "", []).append(engine)
    rows: list[Row] = []
    for name in sorted(groups, key=lambda n: (n == "", n.casefold(), n)):
        rows.append(Row(None, clean(name, 60) or "no group", tuple(groups[name])))
        rows += [Row(e) for e in groups[name]]
    return rows


def _key(sort: str, sign: float = 1.0) -> Callable[[Engine], tuple[float | str, ...]]:
    """Figures: the largest first, the unknown last. Routers come after the engines."""

    def figure(engine: Engine) -> float | None:
        return {
            "slots": occupied(engine),
            "queue": engine.queued,
            "kv": engine.kv_cache,
            "tok/s": engine.generation_tokens_per_s,
            "ttft": engine.ttft_p95_s,
        }[sort]

    def key(engine: Engine) -> tuple[float | str, ...]:
        name = (engine.router, engine_name(engine).casefold(), engine.id)
        if sort == "kind":
            return (engine.kind, *name)
        if sort == "state":
            return (_STATES.index(engine.state) if engine.state in _STATES else 0, *name)
        if sort not in FIGURES:
            return name
        value = figure(engine)
        return (value is None, -sign * (value or 0.0), *name)

    return key


def occupied(engine: Engine) -> float | None:
    """Active of all slots, or active alone where the slots are unknown."""
    if engine.active is None:
        return None
    return engine.active / engine.max_slots if engine.max_slots else float(engine.active > 0)


def _matches(engine: Engine, wanted: str) -> bool:
    words = wanted.casefold().split()
    if not words:
        return True
    fields: list[str | None] = [engine.url, *state_words(state(engine))]
    fields += [engine.id, engine.kind, engine.model, engine.name, engine.group, engine.state]
    fields += ["router" if engine.router else None, *(engine.models or ()), *engine.adapters]
    text = " ".join(f for f in fields if f).casefold()
    return all(word in text for word in words)


def place_of(rows: Sequence[Row], cursor: str | None) -> int:
    """The row of the cursor's engine; the first engine's where it is not listed."""
    at = next((i for i, r in enumerate(rows) if r.engine and r.engine.id == cursor), None)
    return at if at is not None else next((i for i, r in enumerate(rows) if r.engine), 0)


def moved(rows: Sequence[Row], cursor: str | None, step: int) -> str | None:
    """The id of the engine `step` engines further on; None where there is no engine."""
    ids = [r.engine.id for r in rows if r.engine]
    if not ids:
        return None
    at = ids.index(cursor) if cursor in ids else 0
    return ids[max(0, min(len(ids) - 1, at + step))]


def start_at(count: int, room: int, offset: int, at: int | None) -> int:
    """The first row shown: `offset`, moved so far that row `at` is on the screen."""
    start = max(0, min(offset, count - room))
    if at is None or room < 1:
        return start
    top = 0 if at == 1 else at  # a first group's heading is shown with its first engine
    return max(at - room + 1, min(start, top))


def columns(engines: Sequence[Engine], width: int) -> list[Column]:
    """The columns that fit in `width`, the name taking what the others leave.

    Widths follow what hardly changes (kinds, capacities), so that figures do not move.
    """
    kind = min(11, max((cell_width(e.kind) for e in engines), default=4))
    most = max((len(str(e.max_slots or 0)) for e in engines), default=3)
    guessed = any(e.slots_estimated for e in engines)
    bounded = any(e.kind == "llamacpp" for e in engines)  # its rates can be lower bounds
    wide: list[tuple[int, Column]] = [
        (0, Column("mark", "", 1, "left")),
        (0, Column("model", "model", 0, "left")),
        (64, Column("kind", "kind", kind, "left")),
        (30, Column("slots", "active", max(6, 2 * most + 1 + guessed))),
        (44, Column("queue", "queue", 5)),
        (140, Column("kvbar", "KV cache", 12, "left")),
        (56, Column("kv", "KV", 5)),
        (128, Column("prompt", "prompt/s", 8)),
        (24, Column("speed", "tok/s", 6 + bounded)),
        (104, Column("trend", "", 20 if width >= 172 else 12, "left")),
        (72, Column("ttft", "TTFT p95", 8)),
        (116, Column("itl", "ITL p95", 8)),
        (172, Column("e2e", "E2E p95", 8)),
        (184, Column("waited", "wait p95", 8)),
        (148, Column("requests", "req/s", 6)),
        (148, Column("hits", "hits", 5)),
        (152, Column("vram", "VRAM", 7)),
        (50, Column("state", "state", 13 if width >= 128 else 8, "left")),
    ]
    kept = [c for least, c in wide if width >= least]
    spent = sum(c.width for c in kept) + 2 * (len(kept) - 2) + 1
    return [c._replace(width=max(0, width - spent)) if c.key == "model" else c for c in kept]
