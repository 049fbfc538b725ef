"""The palette's tables: readable on each background, and told apart without colour."""

from itertools import pairwise

import pytest

from tokentop.views.palette import (
    BACKGROUNDS,
    SERVICE_SYMBOLS,
    STYLES,
    THEMES,
    TIERS,
    UNKNOWN_TIER,
)

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


@pytest.mark.parametrize("theme", HEX_THEMES)
@pytest.mark.parametrize("name", TEXTS)
def test_text_is_readable(theme: str, name: str) -> None:
    """Every style that writes words has a contrast of at least 4.5 on its own background."""
    style = STYLES[theme][name]
    assert contrast(style.fg, style.bg or BACKGROUNDS[theme]) >= 4.5


@pytest.mark.parametrize("theme", HEX_THEMES)
@pytest.mark.parametrize("name", [name for name in BARS if not name.endswith("reserved")])
def test_bars_are_seen(theme: str, name: str) -> None:
    """Every bar stands out from the screen by at least 3.0; what is only reserved need not."""
    assert contrast(STYLES[theme][name].fg, BACKGROUNDS[theme]) >= 3.0


@pytest.mark.parametrize("blindness", sorted(BLINDNESS))
def test_neighbouring_tiers_differ_to_a_colour_blind_eye(blindness: str) -> None:
    """In the colour-blind theme neighbouring tiers stay apart by a clear CIE76 distance."""
    colours = [lab(seen(linear(options.colorblind), blindness)) for options in TIERS.values()]
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
