"""Selected text of a panel: how it is highlighted, and what is copied."""

from collections.abc import Sequence

from textual.selection import SELECT_ALL, Selection

from tokentop.views.tui.draw.kit.line import Line


def highlighted(lines: Sequence[Line], selection: Selection | None) -> Sequence[Line]:
    """The same lines, the selected characters in the style `selection`."""
    if selection is None:
        return lines
    spans = [selection.get_span(y) for y in range(len(lines))]
    return [
        _restyled(line, *span) if span else line for line, span in zip(lines, spans, strict=True)
    ]


def _restyled(line: Line, start: int, end: int) -> Line:
    """`line` with the characters from `start` up to `end` selected; -1 is its end."""
    chars = [(char, style) for text, style in line for char in text]
    stop = len(chars) if end == -1 else end
    chosen = [(char, "selection") for char, _ in chars[start:stop]]
    return [*chars[:start], *chosen, *chars[stop:]]


def selected_text(lines: Sequence[Line], selection: Selection) -> str:
    """The selected characters as plain text, each line without the blanks at its end."""
    spans = [(y, span) for y in range(len(lines)) if (span := selection.get_span(y))]
    texts = [_text(lines[y])[start : None if end == -1 else end] for y, (start, end) in spans]
    return "\n".join(text.rstrip() for text in texts)


def plain_text(lines: Sequence[Line]) -> str:
    """All characters as plain text, each line without the blanks at its end."""
    return selected_text(lines, SELECT_ALL)


def title(lines: Sequence[Line]) -> str:
    """A panel's title as its border shows it, without what follows a dot; "" where it has none."""
    titles = [text.strip() for line in lines[:1] for text, style in line if style == "title"]
    return titles[0].partition(" · ")[0] if titles else ""


def _text(line: Line) -> str:
    return "".join(text for text, _ in line)
