"""SGR codes for the text views: labels are dim, a tier has its colour, the rest is plain."""

_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_DIM, _BOLD = "2", "1"


def sgr(tone: str, tier: str | None, colors: int, theme: str) -> str:
    """Return the parameters of one SGR sequence, empty for none; `colors` is 0, 16 or 24."""
    if not colors:
        return ""
    if tone == "label":
        return _DIM
    return f"{_BOLD};{_tier(tier, colors, theme)}" if tone in ("tier", "alarm") and tier else ""


def _tier(tier: str | None, colors: int, theme: str) -> str:
    from tokentop.views.palette import THEMES, tier_theme  # not imported for a pipe

    look = tier_theme(tier)
    if colors == 24 and theme != "ansi":
        return _hex(str(look[THEMES.index(theme)]))
    return str(_sixteen(look.ansi))


def _hex(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"38;2;{red};{green};{blue}"


def _sixteen(name: str) -> int:
    bright = name.startswith("bright_")
    return (90 if bright else 30) + _NAMES.index(name.removeprefix("bright_"))
