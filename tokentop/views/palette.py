"""Colours and symbols as tables: each tier, state and style in each theme.

Plain data, no Textual: the one-line view and the full screen read the same tables. Colours are
hex, except in the `ansi` theme, whose names are the terminal's own sixteen.
"""

from tokentop.named_tuple import NamedTuple

THEMES = ("dark", "light", "colorblind", "ansi")
BACKGROUNDS = {"dark": "#0f1419", "light": "#fbfaf7", "colorblind": "#0f1419", "ansi": "default"}


class TierTheme(NamedTuple):
    """One tier in every theme, with a symbol and a word so that nothing rests on colour alone."""

    dark: str
    light: str
    colorblind: str
    ansi: str
    symbol: str
    ascii: str
    word: str


# Hollow and solid of three shapes: round is calm, pointed is a warning, square is full.
TIERS: dict[str, TierTheme] = {
    "idle": TierTheme("#34d399", "#047857", "#3f93d6", "cyan", "○", ".", "idle"),
    "low": TierTheme("#8bd450", "#3f7a0c", "#7cc0ee", "green", "●", "-", "low"),
    "moderate": TierTheme("#60a5fa", "#1d4ed8", "#c9dcec", "bright_cyan", "◆", "=", "moderate"),
    "high": TierTheme("#fbbf24", "#946200", "#f3e55c", "yellow", "△", "^", "high"),
    "surge": TierTheme("#fb8b3c", "#b8430a", "#e8973a", "bright_red", "▲", "!", "surge"),
    "saturated": TierTheme("#f87171", "#b91c1c", "#e0609a", "red", "■", "#", "full"),
}
UNKNOWN_TIER = TierTheme("#8b98a5", "#5c6670", "#8b98a5", "bright_black", "·", "?", "unknown")

SERVICE_SYMBOLS: dict[str, tuple[str, str]] = {
    "online": ("●", "+"),
    "stale": ("◐", "~"),
    "backing-off": ("◌", "="),
    "offline": ("○", "-"),
    "down": ("×", "X"),  # offline, and expected to answer
    "off": ("·", "."),
    "bad-data": ("▲", "!"),
}

# Engines have more states than services: one for each thing that a user can do about it.
ENGINE_SYMBOLS: dict[str, tuple[str, str]] = {
    "online": ("●", "+"),
    "starting": ("◔", "%"),
    "asleep": ("◡", "z"),
    "no-metrics": ("◎", "o"),
    "auth-required": ("▣", "x"),
    "names-only": ("◇", "?"),
    "stale": ("◐", "~"),
    "backing-off": ("◌", "="),
    "offline": ("×", "X"),
    "gone": ("▽", "v"),
    "bad-data": ("▲", "!"),
}
ENGINE_STYLES: dict[str, str] = {
    "online": "active",
    "starting": "warn",
    "auth-required": "error",
    "stale": "warn",
    "backing-off": "warn",
    "no-metrics": "warn",
    "offline": "error",
    "gone": "error",
    "bad-data": "error",
}


class Style(NamedTuple):
    """One style of one theme: foreground, background (None: the screen's), weight."""

    fg: str
    bg: str | None = None
    bold: bool = False
    reverse: bool = False


# style: dark, light, colour-blind, ansi. "bar" and below are areas, not text (contrast 3.0).
_TEXT: dict[str, tuple[str, str, str, str]] = {
    "text": ("#c8d1da", "#2b333b", "#c8d1da", "default"),
    "bright": ("#f4f7fa", "#0b0f13", "#f4f7fa", "default"),
    "dim": ("#8b98a5", "#5c6670", "#8b98a5", "bright_black"),
    "stale": ("#76828e", "#66707b", "#76828e", "bright_black"),
    "title": ("#aab6c2", "#414b55", "#aab6c2", "default"),
    "active": ("#43b873", "#1a7f43", "#7cc0ee", "green"),
    "queued": ("#fbbf24", "#946200", "#f3e55c", "yellow"),
    "beyond": ("#fb8b3c", "#b8430a", "#e8973a", "bright_red"),
    "warn": ("#fbbf24", "#946200", "#f3e55c", "yellow"),
    "error": ("#f87171", "#b91c1c", "#ec78ad", "red"),
    "key": ("#f4f7fa", "#0b0f13", "#f4f7fa", "default"),
    "chip": ("#c8d1da", "#2b333b", "#c8d1da", "default"),
    "selected": ("#f4f7fa", "#0b0f13", "#f4f7fa", "default"),
    "mode.normal": ("#43b873", "#1a7f43", "#7cc0ee", "green"),
    "mode.pressure": ("#fbbf24", "#946200", "#f3e55c", "yellow"),
    "mode.saturated": ("#f87171", "#b91c1c", "#ec78ad", "red"),
}
_AREAS: dict[str, tuple[str, str, str, str]] = {
    "bar": ("#5f7f9d", "#5f7f9d", "#5f7f9d", "cyan"),
    "bar.alt": ("#547391", "#6b8aa6", "#547391", "cyan"),
    "bar.line": ("#5f7f9d", "#5f7f9d", "#5f7f9d", "cyan"),
    "bar.stale": ("#5b6773", "#848e98", "#5b6773", "bright_black"),
}
# Parts of a VRAM bar: the KV cache in use is brightest, what an engine only reserved darkest, what
# any process holds has the colour of every bar. Names stand on them: each is (area, text on it);
# the sixteen-colour text is reversed instead.
_VRAM_PARTS: dict[str, tuple[tuple[str, str, str, str], tuple[str, str, str]]] = {
    "used": (("#86a9cc", "#466989", "#86a9cc", "bright_cyan"), ("#0b1016", "#ffffff", "#0b1016")),
    "used2": (("#a2b6c8", "#5a7288", "#a2b6c8", "bright_cyan"), ("#0b1016", "#ffffff", "#0b1016")),
    "held": (("#5f7f9d", "#587795", "#5f7f9d", "cyan"), ("#06090c", "#ffffff", "#06090c")),
    "held2": (("#7590ab", "#4d6b88", "#7590ab", "cyan"), ("#06090c", "#ffffff", "#06090c")),
    "reserved": (
        ("#4c6276", "#7f94a8", "#4c6276", "bright_black"),
        ("#f4f7fa", "#0b0f13", "#f4f7fa"),
    ),
    "other": (("#5b6773", "#848e98", "#5b6773", "bright_black"), ("#f4f7fa", "#0b0f13", "#f4f7fa")),
}
# Low contrast on purpose: grid lines and the empty part of a bar hold nothing to be read.
_LINES: dict[str, tuple[str, str, str, str]] = {
    "frame": ("#2c3640", "#d3d6d6", "#2c3640", "bright_black"),
    "track": ("#1c242b", "#e6e7e3", "#1c242b", "default"),
    "free": ("#3a4651", "#cfd4d3", "#3a4651", "bright_black"),
}
# On a light screen text must be darker than an area needs to be; areas keep the brighter hue.
_LIGHT_AREAS = {
    "active": "#2a9d5c", "queued": "#bd8200", "beyond": "#dc5c15", "idle": "#0f9f72",
    "low": "#56961f", "moderate": "#3f73e0", "high": "#bd8200", "surge": "#dc5c15",
    "saturated": "#d93a3a",
}  # fmt: skip
_MODES = ("normal", "pressure", "saturated")
_BOLD = frozenset(
    {"bright", "key", "warn", "error", "selected", "title", *(f"mode.{m}" for m in _MODES)}
)
_CHIP_BG = {"dark": "#1f2830", "light": "#e8e9e5", "colorblind": "#1f2830", "ansi": None}

_SLOT_STYLES = ("active", "queued", "beyond")
_AREA_STYLES = tuple(_AREAS)


def tier_theme(tier: str | None) -> TierTheme:
    """The colours and symbols of a tier; None (nothing known yet) has its own."""
    return TIERS.get(tier or "", UNKNOWN_TIER)


def tier_style(tier: str | None) -> str:
    """The style name that writes in a tier's colour."""
    return f"tier.{tier}" if tier in TIERS else "tier.none"


def badge_style(tier: str | None) -> str:
    """The style name that writes on a tier's colour."""
    return f"badge.{tier}" if tier in TIERS else "badge.none"


def mode_style(mode: str | None) -> str:
    """The style name that writes in a banner mode's colour."""
    return f"mode.{mode}" if mode in _MODES else "tier.none"


def tier_symbol(tier: str | None, *, plain: bool = False) -> str:
    """One cell that distinguishes the tier without colour."""
    theme = tier_theme(tier)
    return theme.ascii if plain else theme.symbol


def service_symbol(state: str, *, plain: bool = False) -> str:
    """One cell that distinguishes a service's state without colour."""
    return SERVICE_SYMBOLS.get(state, ("?", "?"))[plain]


def engine_symbol(state: str, *, plain: bool = False) -> str:
    """One cell that distinguishes an engine's state without colour."""
    return ENGINE_SYMBOLS.get(state, ("?", "?"))[plain]


def _tier_styles(theme: str, column: int) -> dict[str, Style]:
    styles: dict[str, Style] = {}
    for name in (*TIERS, "none"):
        colour = tier_theme(name)[column]
        assert isinstance(colour, str)
        styles[f"tier.{name}"] = Style(colour, bold=True)
        dark = theme == "ansi"  # bold brightens it where a colour of eight is too dark
        styles[f"area.{name}"] = Style(_area(theme, name, colour), _track(column), bold=dark)
        if theme == "ansi":
            styles[f"badge.{name}"] = Style(colour, bold=True, reverse=True)
        else:
            styles[f"badge.{name}"] = Style(BACKGROUNDS[theme], colour, bold=True)
    return styles


def _area(theme: str, name: str, colour: str) -> str:
    return _LIGHT_AREAS.get(name, colour) if theme == "light" else colour


def _track(column: int) -> str | None:
    """The empty part of a bar as a background: a part-filled cell then blends into it."""
    return None if THEMES[column] == "ansi" else _LINES["track"][column]


def _vram_styles(theme: str, column: int) -> dict[str, Style]:
    """Each part as an area, as the part-filled end of a bar, and as the background of a name."""
    styles: dict[str, Style] = {}
    for name, (areas, texts) in _VRAM_PARTS.items():
        area = areas[column]
        solid = None if theme == "ansi" else area
        styles[f"hold.{name}"] = Style(area, solid)
        styles[f"bar.{name}"] = Style(area, _track(column))
        if theme == "ansi":
            styles[f"on.{name}"] = Style(area, reverse=True)
        else:
            styles[f"on.{name}"] = Style(texts[column], area)
    return styles


def _theme(theme: str) -> dict[str, Style]:
    column = THEMES.index(theme)
    styles = {
        name: Style(colours[column], bold=name in _BOLD)
        for table in (_TEXT, _AREAS, _LINES)
        for name, colours in table.items()
    }
    styles |= _tier_styles(theme, column) | _vram_styles(theme, column)
    for name in _AREA_STYLES:
        if name != "bar.line":
            styles[name] = styles[name]._replace(bg=_track(column))
    if theme != "ansi":  # solid in colour, textured without
        for name in ("track", "free"):
            styles[name] = styles[name]._replace(bg=styles[name].fg)
        for name in _SLOT_STYLES:
            colour = _area(theme, name, styles[name].fg)
            styles[f"fill.{name}"] = Style(colour, colour)
    else:
        styles["queued"] = styles["queued"]._replace(bold=True)  # brown on the console
        styles |= {f"fill.{n}": styles[n] for n in _SLOT_STYLES}
    styles["chip"] = styles["chip"]._replace(bg=_CHIP_BG[theme])
    styles["selected"] = styles["selected"]._replace(bg=_CHIP_BG[theme], reverse=theme == "ansi")
    styles["badge.warn"] = styles["badge.high"]
    return styles


STYLES: dict[str, dict[str, Style]] = {theme: _theme(theme) for theme in THEMES}
