"""The palette's tables: readable on each background, and told apart without colour."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from tokentop.views.palette import (
    BACKGROUNDS,
    SERVICE_SYMBOLS,
    STYLES,
    THEMES,
    TIERS,
    UNKNOWN_TIER,
    Style,
)
from tokentop.views.palette_256 import XTERM, nearest, rgb_of

RGB = tuple[float, float, float]
HEX_THEMES = ("dark", "light", "colorblind")

# Viénot, Brettel and Mollon (1999): linear RGB as a protanope and a deuteranope see it.
BLINDNESS = {
    "protan": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    "deutan": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
}


def linear(colour: str) -> RGB:
    """`#rrggbb` as linear RGB 0-1."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return r, g, b


def luminance(rgb: RGB) -> float:
    """WCAG's relative luminance."""
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio, 1-21."""
    low, high = sorted((luminance(linear(one)), luminance(linear(other))))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: RGB) -> RGB:
    """CIE L*a*b* of linear sRGB (D65)."""
    x = (0.4124 * rgb[0] + 0.3576 * rgb[1] + 0.1805 * rgb[2]) / 0.9505
    y = luminance(rgb)
    z = (0.0193 * rgb[0] + 0.1192 * rgb[1] + 0.9505 * rgb[2]) / 1.089
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def seen(rgb: RGB, blindness: str) -> RGB:
    """What is left of a colour."""
    r, g, b = (
        max(0.0, sum(m * c for m, c in zip(row, rgb, strict=True))) for row in BLINDNESS[blindness]
    )
    return r, g, b


def named(*prefixes: str) -> list[str]:
    """The styles whose names begin so."""
    return [name for name in STYLES["dark"] if name.startswith(prefixes)]


BARS = named("area.", "fill.", "hold.", "bar")
LINES = ["frame", "track", "free"]  # low contrast on purpose: they hold nothing to be read
TEXTS = [name for name in STYLES["dark"] if name not in {*BARS, *LINES}]


# xterm's table of 256 by its own definition: a cube of six levels, then 24 greys.
STEPS = ("00", "5f", "87", "af", "d7", "ff")
CUBE = {16 + 36 * r + 6 * g + b: "#" + STEPS[r] + STEPS[g] + STEPS[b]
        for r in range(6) for g in range(6) for b in range(6)}  # fmt: skip
GREYS = {232 + i: f"#{8 + 10 * i:02x}" + f"{8 + 10 * i:02x}" * 2 for i in range(24)}
NUMBERS = CUBE | GREYS

# The sixteen colours of the Linux console and of xterm, both on black; bold brightens there.
CONSOLE = (
    *("#000000", "#aa0000", "#00aa00", "#aa5500", "#0000aa", "#aa00aa", "#00aaaa", "#aaaaaa"),
    *("#555555", "#ff5555", "#55ff55", "#ffff55", "#5555ff", "#ff55ff", "#55ffff", "#ffffff"),
)
XTERM_16 = (
    *("#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5"),
    *("#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff"),
)
NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def at(depth: int, theme: str, colour: str) -> str:
    """What a terminal of that many bits shows for a theme's colour."""
    return colour if depth == 24 else NUMBERS[XTERM[theme][colour]]


def sixteen(table: Sequence[str], style: Style) -> str:
    """What the terminal with these sixteen colours shows for a style of the ansi theme."""
    if style.fg == "default":
        return table[15 if style.bold else 7]
    bright = style.bold or style.fg.startswith("bright_")
    return table[NAMES.index(style.fg.removeprefix("bright_")) + 8 * bright]


@pytest.mark.parametrize("depth", [24, 8])
@pytest.mark.parametrize("theme", HEX_THEMES)
@pytest.mark.parametrize("name", TEXTS)
def test_text_is_readable(theme: str, name: str, depth: int) -> None:
    """Every style that writes words has a contrast of at least 4.5 on its own background."""
    style = STYLES[theme][name]
    background = at(depth, theme, style.bg or BACKGROUNDS[theme])
    assert contrast(at(depth, theme, style.fg), background) >= 4.5


@pytest.mark.parametrize("depth", [24, 8])
@pytest.mark.parametrize("theme", HEX_THEMES)
@pytest.mark.parametrize("name", [name for name in BARS if not name.endswith("reserved")])
def test_bars_are_seen(theme: str, name: str, depth: int) -> None:
    """Every bar stands out from the screen by at least 3.0; what is only reserved need not."""
    colour = at(depth, theme, STYLES[theme][name].fg)
    assert contrast(colour, at(depth, theme, BACKGROUNDS[theme])) >= 3.0


@pytest.mark.parametrize("table", [CONSOLE, XTERM_16], ids=["console", "xterm"])
@pytest.mark.parametrize("name", [*TEXTS, *BARS])
def test_sixteen_colours_are_readable(table: Sequence[str], name: str) -> None:
    """Words by 4.5, bars by 3.0; what is dim is the terminal's own grey, dark on the console."""
    style = STYLES["ansi"][name]
    ratio = contrast(sixteen(table, style), "#000000")
    grey = style.fg == "bright_black"
    assert ratio >= (2.8 if grey else 4.5 if name in TEXTS else 3.0)


@pytest.mark.parametrize("theme", HEX_THEMES)
def test_every_colour_has_its_number_of_256(theme: str) -> None:
    """The table is chosen by hand: no colour of a theme is left to rounding, none is unused."""
    styles = STYLES[theme].values()
    used = {colour for style in styles for colour in (style.fg, style.bg) if colour}
    assert set(XTERM[theme]) == used | {BACKGROUNDS[theme]}
    assert min(XTERM[theme].values()) >= 16  # those below are the user's own


@pytest.mark.parametrize("theme", HEX_THEMES)
def test_with_256_colours_bars_keep_their_track_and_frames_are_grey(theme: str) -> None:
    """A track is neither the screen nor a bar; frames, tracks and free slots have no hue."""
    numbers = {name: XTERM[theme][STYLES[theme][name].fg] for name in [*BARS, *LINES]}
    screen = XTERM[theme][BACKGROUNDS[theme]]
    for name in LINES:
        assert numbers[name] in GREYS
        assert numbers[name] != screen
        assert numbers[name] not in {numbers[bar] for bar in BARS}
    assert numbers["track"] != numbers["free"]


def test_a_number_is_the_colour_that_xterm_shows() -> None:
    """Each of the 240 colours is found again under its own number or one of the same colour."""
    for number, colour in NUMBERS.items():
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        assert NUMBERS[nearest((red, green, blue))] == colour
        assert rgb_of(number) == (red, green, blue)


@pytest.mark.parametrize("depth", [24, 8])
@pytest.mark.parametrize("blindness", sorted(BLINDNESS))
def test_neighbouring_tiers_differ_to_a_colour_blind_eye(blindness: str, depth: int) -> None:
    """In the colour-blind theme neighbouring tiers stay apart by a clear CIE76 distance."""
    shown = [at(depth, "colorblind", options.colorblind) for options in TIERS.values()]
    colours = [lab(seen(linear(colour), blindness)) for colour in shown]
    for one, other in pairwise(colours):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 >= 12


def test_tiers_are_told_apart_without_any_colour() -> None:
    """Symbol, ASCII symbol and word each name one tier only; symbols take one cell."""
    looks = [*TIERS.values(), UNKNOWN_TIER]
    for said in ("symbol", "ascii", "word"):
        assert len({getattr(options, said) for options in looks}) == len(looks)
    assert all(len(options.symbol) == 1 and options.ascii.isascii() for options in looks)


def test_service_states_are_told_apart_without_any_colour() -> None:
    """Each state has its own symbol, in Unicode and in ASCII."""
    assert len({symbol for symbol, _ in SERVICE_SYMBOLS.values()}) == len(SERVICE_SYMBOLS)
    assert len({plain for _, plain in SERVICE_SYMBOLS.values()}) == len(SERVICE_SYMBOLS)


def test_every_theme_has_the_same_styles() -> None:
    """A style that one theme knows, all know."""
    assert len({frozenset(STYLES[theme]) for theme in THEMES}) == 1


def test_the_sixteen_colours_stay_the_terminals_own() -> None:
    """The ansi theme names colours and never sets a background but by reversing."""
    for style in STYLES["ansi"].values():
        assert not style.fg.startswith("#")
        assert style.bg is None
