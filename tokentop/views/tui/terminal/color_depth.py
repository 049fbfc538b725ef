"""How many colours the terminal has, and a theme's own table where these are 256."""

import os
from collections.abc import Mapping
from functools import lru_cache

from rich.color import Color as RichColor
from rich.console import COLOR_SYSTEMS, Console
from rich.segment import Segment
from rich.style import Style
from textual import constants
from textual.color import Color
from textual.filter import LineFilter, NoColor

from tokentop.views.palette_256 import number_of
from tokentop.views.tui.depth import Depth

_SYSTEMS = {
    Depth.NONE: "standard",  # a filter takes the colours out; without a system Rich drops bold too
    Depth.SIXTEEN: "standard",
    Depth.XTERM: "256",
    Depth.TRUECOLOR: "truecolor",
}
# Their descriptions are missing on most servers that one reaches from them.
_KNOWN = frozenset(
    {"alacritty", "contour", "foot", "ghostty", "kitty", "konsole", "rio", "st", "wezterm"}
)
_OVERRIDES = {_SYSTEMS[depth]: depth for depth in (Depth.SIXTEEN, Depth.XTERM, Depth.TRUECOLOR)}


def depth_of(environ: Mapping[str, str]) -> Depth:
    """The terminal's depth, by TEXTUAL_COLOR_SYSTEM, NO_COLOR, COLORTERM and TERM."""
    if "NO_COLOR" in environ:
        return Depth.NONE
    if override := _OVERRIDES.get(constants.COLOR_SYSTEM or ""):
        return override
    term = environ.get("TERM", "")
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return Depth.TRUECOLOR
    if term.endswith("-direct"):
        return Depth.TRUECOLOR
    if "256color" in term or _KNOWN.intersection(term.split("-")):
        return Depth.XTERM
    count = _colors_in_terminfo(term)
    if count is None or 8 <= count < 256:
        return Depth.SIXTEEN
    return Depth.NONE if count < 8 else Depth.XTERM


def _colors_in_terminfo(term: str) -> int | None:
    """The number of colours in the terminal's description; None where there is none to read."""
    try:
        import curses
    except ImportError:
        return None
    with open(os.devnull, "wb") as sink:
        try:
            curses.setupterm(term or "unknown", sink.fileno())
        except curses.error:
            return None
    return curses.tigetnum("colors")


def show_depth(console: Console, depth: Depth) -> None:
    """Make Rich send what `depth` has; its own guess knows two names of terminals only."""
    console._color_system = COLOR_SYSTEMS[_SYSTEMS[depth]]


def filters_for(depth: Depth, theme: str) -> tuple[LineFilter, ...]:
    """What turns a theme's colours into those of the terminal."""
    if depth is Depth.NONE:
        return (NoColor(),)
    return (XtermColors(theme),) if depth is Depth.XTERM else ()


class XtermColors(LineFilter):
    """Gives every colour the number that its theme has chosen for it."""

    def __init__(self, theme: str) -> None:
        super().__init__()
        self._theme_name = theme

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        theme = self._theme_name
        return [
            Segment(text, style and _numbered(style, theme), control)
            for text, style, control in segments
        ]


@lru_cache(1024)
def _numbered(style: Style, theme: str) -> Style:
    color, background = (
        RichColor.from_ansi(number_of(each.triplet, theme)) if each and each.triplet else None
        for each in (style.color, style.bgcolor)
    )
    return style + Style.from_color(color, background) if color or background else style
