"""The two borders of a panel: a thin rounded frame, or a rule above it."""

from tokentop.views.tui.draw.kit.line import Line, block, crop, exact, span_width


def framed(
    lines: list[Line],
    title: str,
    summary: Line,
    width: int,
    height: int,
    *,
    style: str = "frame",
) -> list[Line]:
    """`lines` in a rounded frame of exactly `width` x `height`, title left, summary right."""
    if width < 4 or height < 3:
        return block(lines, width, height)
    inner = block(lines, width - 4, height - 2)
    side = ("│", style)
    body = [[side, (" ", "text"), *line, (" ", "text"), side] for line in inner]
    top = _border(("╭", "╮"), title, summary, width, style)
    bottom: Line = [("╰" + "─" * (width - 2) + "╯", style)]
    return [top, *body, bottom]


def rule(title: str, summary: Line, width: int) -> Line:
    """One section rule."""
    return exact(_border(("", ""), title, summary, width, "frame"), width)


def _border(corners: tuple[str, str], title: str, summary: Line, width: int, style: str) -> Line:
    """`╭─ title ───── summary ─╮`; where it is too narrow the summary goes, then the title."""
    room = max(0, width - 2 - len(corners[0] + corners[1]))
    name = crop([(f" {title} ", "title")], room) if title else []
    right: Line = [(" ", "text"), *summary, (" ", "text")] if summary else []
    if span_width(name) + span_width(right) + 2 > room:
        right = []
    rest = "─" * (room - span_width(name) - span_width(right))
    return [
        (corners[0] + "─", style), *name, (rest, style), *right, ("─" + corners[1], style),
    ]  # fmt: skip
