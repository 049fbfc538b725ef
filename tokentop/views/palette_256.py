"""The themes on a terminal of 256 colours: each colour's number, chosen by hand.

Rounding channel by channel makes frames teal, and bars and their tracks the same grey. Numbers
below 16 are the user's own colours and not used here.
"""

from tokentop.light_typing import Final

RGB = tuple[int, int, int]
_LEVELS: Final = (0, 95, 135, 175, 215, 255)  # of a channel in the cube, numbers 16-231
_CUBE, _GREYS = 16, 232

_DARK: Final = {
    "#0f1419": 233,  # the screen
    "#c8d1da": 252, "#f4f7fa": 255, "#aab6c2": 249, "#8b98a5": 246, "#76828e": 244,
    "#2c3640": 237, "#1c242b": 235, "#3a4651": 239, "#1f2830": 236,  # frame, track, free, chip
    "#5f7f9d": 67, "#547391": 67, "#5b6773": 242,  # bars
    "#86a9cc": 110, "#a2b6c8": 153, "#7590ab": 68, "#4c6276": 60,  # parts of a VRAM bar
    "#0b1016": 232, "#06090c": 232,  # text on them
}  # fmt: skip

XTERM: Final[dict[str, dict[str, int]]] = {
    "dark": _DARK
    | {
        "#34d399": 42, "#8bd450": 113, "#60a5fa": 75, "#fbbf24": 214, "#fb8b3c": 208,
        "#f87171": 203, "#43b873": 71,
    },
    "light": {
        "#fbfaf7": 231,  # the screen
        "#2b333b": 236, "#0b0f13": 232, "#414b55": 239, "#5c6670": 241, "#66707b": 243,
        "#d3d6d6": 252, "#e6e7e3": 254, "#cfd4d3": 251, "#e8e9e5": 254,  # frame, track, free, chip
        "#047857": 29, "#3f7a0c": 28, "#1d4ed8": 26, "#946200": 94, "#b8430a": 130,
        "#b91c1c": 124, "#1a7f43": 28,
        "#2a9d5c": 29, "#0f9f72": 29, "#56961f": 64, "#3f73e0": 32, "#bd8200": 136,  # areas
        "#dc5c15": 166, "#d93a3a": 160,
        "#5f7f9d": 67, "#6b8aa6": 67, "#848e98": 245,  # bars
        "#466989": 25, "#5a7288": 26, "#587795": 24, "#4d6b88": 60, "#7f94a8": 110,  # VRAM parts
        "#ffffff": 231,
    },
    "colorblind": _DARK
    | {
        "#3f93d6": 68, "#7cc0ee": 74, "#c9dcec": 189, "#f3e55c": 227, "#e8973a": 208,
        "#e0609a": 169, "#ec78ad": 211,
    },
}  # fmt: skip


def rgb_of(number: int) -> RGB:
    """The colour that xterm gives the number 16-255."""
    if number >= _GREYS:
        return (8 + 10 * (number - _GREYS),) * 3
    red, rest = divmod(number - _CUBE, 36)
    return _LEVELS[red], _LEVELS[rest // 6], _LEVELS[rest % 6]


def number_of(colour: RGB, theme: str) -> int:
    """The theme's number for a colour; the nearest one for what is in no table (a blend)."""
    chosen = XTERM.get(theme, {}).get("#{:02x}{:02x}{:02x}".format(*colour))
    return nearest(colour) if chosen is None else chosen


def nearest(colour: RGB) -> int:
    """The number 16-255 whose colour is nearest, where greys come first among equals."""
    return min(range(255, _CUBE - 1, -1), key=lambda number: _distance(rgb_of(number), colour))


def _distance(one: RGB, other: RGB) -> int:
    """Squared, weighted as the eye weighs the channels."""
    return sum(w * (a - b) ** 2 for w, a, b in zip((3, 6, 1), one, other, strict=True))
