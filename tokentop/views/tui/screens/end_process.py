"""The question before a process is ended: it names the process, and only `y` says yes."""

from collections.abc import Callable

from tokentop.domain.text import DASH, clean, fmt_age, gib
from tokentop.views.tui.draw.kit.format import engine_name
from tokentop.views.tui.draw.kit.frame import framed
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, ascii_lines, wrapped
from tokentop.views.tui.draw.panels.gpus.process_rows import Row
from tokentop.views.tui.screen_model import ScreenModel
from tokentop.views.tui.screens.overlay import FRAME

_SPEAKS_OF = "SIGTERM asks it to stop; requests in work are lost."
_FORCES = "It has had SIGTERM and still runs. SIGKILL ends it at once, without cleaning up."


def question(row: Row, engine: str, width: int, options: DrawOptions, *, force: bool) -> list[Line]:
    """The box in full, `width` cells wide: which process, whose, on which GPU, and what is sent."""
    process, detail = row.process, row.detail
    assert process is not None
    inside = width - 4
    place = "" if row.gpu.index is None else f" on GPU {row.gpu.index}"
    holds = f", {gib(process.vram_bytes)} G of VRAM" if process.vram_bytes is not None else ""
    who = f"of {clean(process.user or DASH, 32)}{place}{holds}, {fmt_age(detail.age_s)} old"
    named: Line = [(f"{process.pid} ", "bright"), (clean(process.name or DASH, 60), "bright")]
    rows: list[Line] = [named, [(who, "text")]]
    rows += [[(engine, "text")]] if engine else []
    command = detail.command or ""
    rows += [[(part, "dim")] for part in wrapped(command[: 3 * inside], inside, 3) if part]
    rows += [
        [],
        *([(part, "warn")] for part in wrapped(_FORCES if force else _SPEAKS_OF, inside, 3)),
    ]
    signal = "SIGKILL" if force else "SIGTERM"
    rows += [
        [("y", "key"), (f" send {signal}   ", "text"), ("any other key leaves it alone", "dim")]
    ]
    drawn = framed(rows, "End this process?", [], width, len(rows) + 2, style=FRAME)
    return ascii_lines(drawn) if options.ascii else drawn


def box_of(model: ScreenModel, row: Row, *, force: bool) -> Callable[[int], list[Line]]:
    """The question about one row of the model, for any width."""
    wanted = row.process.engine if row.process else None
    engine = next((one for one in model.snapshot.engines if one.id == wanted), None)
    words = "" if engine is None else f"{engine_name(engine)} · {engine.kind}"
    return lambda width: question(row, words, width, model.options, force=force)
