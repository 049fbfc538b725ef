"""The palette as Rich styles and Textual themes; one table per theme, made once."""

from dataclasses import replace
from functools import cache

from rich.style import Style as RichStyle
from textual.theme import BUILTIN_THEMES, Theme

from tokentop.views import palette
from tokentop.views.tui.depth import Depth

PREFIX = "tokentop-"
MONO = "mono"  # no colours: weight and reverse only
FIXED = {  # where there is no other theme to choose, and why
    Depth.NONE: "There are no colours: NO_COLOR is set, or the terminal has none",
    Depth.SIXTEEN: "This terminal has 16 colours, which only the theme ansi uses",
}

StyleTable = dict[str, RichStyle]


@cache
def style_table(theme: str) -> StyleTable:
    """Style name -> Rich style, for one of `palette.THEMES` or MONO."""
    if theme == MONO:
        styles = {name: _mono(name, style) for name, style in palette.STYLES["ansi"].items()}
    else:
        background = palette.BACKGROUNDS[theme]
        styles = {name: _coloured(s, background) for name, s in palette.STYLES[theme].items()}
    return styles | {"selection": _selection(theme)}


def _selection(theme: str) -> RichStyle:
    """Selected text: plain text reversed, which no state of anything looks like."""
    if theme == MONO:  # an underline tells it from what is reversed already
        return RichStyle(reverse=True, underline=True)
    if theme == "ansi":
        return RichStyle(reverse=True)
    return RichStyle(color=palette.BACKGROUNDS[theme], bgcolor=palette.STYLES[theme]["text"].fg)


def _coloured(style: palette.Style, background: str) -> RichStyle:
    return RichStyle(
        color=style.fg,
        bgcolor=style.bg or background,
        bold=style.bold or None,
        reverse=style.reverse or None,
    )


def _mono(name: str, style: palette.Style) -> RichStyle:
    faint = name in ("dim", "stale", "frame", "track", "bar.stale")
    return RichStyle(bold=style.bold or None, reverse=style.reverse or None, dim=faint or None)


@cache
def textual_themes() -> dict[str, Theme]:
    """By name the Textual themes that the command palette and the screen's background follow."""
    return {PREFIX + name: _textual_theme(name) for name in (*palette.THEMES, MONO)}


def _textual_theme(theme: str) -> Theme:
    if theme in (MONO, "ansi"):
        return _native(theme)
    styles, background = palette.STYLES[theme], palette.BACKGROUNDS[theme]
    accent = styles["tier.moderate"].fg
    return Theme(
        name=PREFIX + theme,
        primary=accent,
        accent=accent,
        foreground=styles["text"].fg,
        background=background,
        surface=background,
        panel=styles["chip"].bg or background,
        success=styles["active"].fg,
        warning=styles["warn"].fg,
        error=styles["error"].fg,
        dark=theme != "light",
    )


def _native(theme: str) -> Theme:
    """Textual's own sixteen-colour theme; for MONO without colours."""
    name = PREFIX + theme
    native = BUILTIN_THEMES["ansi-dark"]
    if theme != MONO:
        return replace(native, name=name, primary="ansi_cyan", accent="ansi_cyan")
    plain = "ansi_default"
    return replace(native, name=name, primary=plain, secondary=plain, accent=plain)


def chosen(theme: str, depth: Depth) -> str:
    """The theme that a terminal of that depth gets where `theme` is wanted."""
    if depth is Depth.NONE:
        return MONO
    return "ansi" if depth is Depth.SIXTEEN else theme


def next_theme(theme: str) -> str:
    """The theme after `theme` in the cycle."""
    return palette.THEMES[(palette.THEMES.index(theme) + 1) % len(palette.THEMES)]
