"""Units, durations, widths, and the one place where remote text is made safe.

Every `fmt_*` and `gib` prints DASH for None, NaN and infinity: unknown is never shown as 0.
"""

import math
from functools import lru_cache

from tokentop.light_typing import Literal, TypeGuard

DASH = "—"
BOUND_SIGNS = {"at-least": "≥", "at-most": "≤", "about": "≈"}
ELLIPSIS = "…"

# Blank or invisible although Unicode calls them letters or marks; they would hide or fake text.
_IGNORABLE = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
    | {*range(0x180B, 0x1810), *range(0xFE00, 0xFE10)}
)
# Narrow up to Unicode 15, wide since 16; as with spacing marks (Mc), no width is right everywhere.
_DISPUTED = frozenset(
    {*range(0x2630, 0x2638), *range(0x268A, 0x2690), *range(0x4DC0, 0x4E00)}
    | {*range(0x1D300, 0x1D380)}
)
_MAX_MARKS = 3  # combining marks on one letter; more is an attempt to draw over the lines above


def known(value: float | None) -> TypeGuard[float]:
    """True for a finite number."""
    try:
        return value is not None and math.isfinite(value)
    except OverflowError:  # an int beyond float's range
        return False


def clean(text: str, limit: int = 256) -> str:
    """Remote text made harmless: one line of at most `limit` characters, cut with an ellipsis.

    Control characters, escape sequences, bidirectional and zero-width characters go; line breaks
    and tabs become spaces; what no terminal can draw becomes `?`.
    """
    text = text[: 8 * limit + 64]  # hostile sizes are not worth walking through
    if not (text.isascii() and text.isprintable()):
        text = _harmless(_without_escapes(text) if "\x1b" in text else text)
    text = text.strip(" ")
    if len(text) <= limit:
        return text
    return text[: limit - 1].rstrip(" ") + ELLIPSIS if limit > 0 else ""


def clean_name(text: str, limit: int = 256) -> str:
    """A remote name made harmless, without the credentials of an address in it.

    Models are named by where they are loaded from, processes by their command lines.
    """
    text = text[: 8 * limit + 64]
    return clean(without_credentials(text) if "://" in text else text, limit)


def without_credentials(text: str) -> str:
    """Every address in it without user, password, query and fragment, which may hold signatures."""
    import re

    text = re.sub(r"(://)[^/\s?#'\"]*@", r"\1", text)
    text = re.sub(r"(://)[^/\s?#'\"@:\[\]]*:(?!\d{1,5}(?:[/\s?#'\"]|$))[^/\s?#'\"\]]*", r"\1", text)
    return re.sub(r"(://[^\s?#'\"]*)[?#][^\s'\"]*", r"\1", text)


def _without_escapes(text: str) -> str:
    import re

    sequence = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])?"
    return re.sub(sequence, "", text)


def _harmless(text: str) -> str:
    """Walks `text` once, keeping what can be drawn in its own cells."""
    from unicodedata import category

    kept: list[str] = []
    marks = _MAX_MARKS  # a mark with no letter before it would sit on our own drawing
    for char in text:
        kind = category(char)
        if kind in ("Mn", "Me") and not _ignorable(char):
            marks += 1
            if marks <= _MAX_MARKS:
                kept.append(char)
        elif char.isspace():
            kept.append(" ")
            marks = _MAX_MARKS
        elif kind not in ("Cc", "Cf") and not _ignorable(char):
            disputed = kind == "Mc" or ord(char) in _DISPUTED
            kept.append("?" if disputed or not char.isprintable() else char)
            marks = 0
    return "".join(kept)


def _ignorable(char: str) -> bool:
    code = ord(char)
    return code in _IGNORABLE or 0xE0000 <= code <= 0xE0FFF or 0x1F3FB <= code <= 0x1F3FF


def cell_width(text: str) -> int:
    """Terminal cells that `text` takes: wide East Asian characters two, combining marks none."""
    return len(text) if text.isascii() else sum(map(char_width, text))


@lru_cache(1024)
def char_width(char: str) -> int:
    """Terminal cells of one character; a screen has few of them, many times."""
    if char < "\u0300":
        return 1
    from unicodedata import category, east_asian_width

    joins = "\u1160" <= char <= "\u11ff" or "\ud7b0" <= char <= "\ud7ff"  # Hangul vowels, finals
    if joins or category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def fit(
    text: str,
    width: int,
    align: Literal["left", "right"] = "left",
    *,
    ascii: bool = False,  # noqa: A002
) -> str:
    """`text` in exactly `width` cells: padded, or cut with an ellipsis (`~` in ASCII)."""
    if not text.isprintable():
        text = clean(text, max(256, 4 * width))
    if width <= 0:
        return ""
    if text.isascii() and len(text) <= width:
        return text.ljust(width) if align == "left" else text.rjust(width)
    head = text[: 4 * width + 16]  # characters without a width could fill any length
    if len(head) < len(text) or cell_width(head) > width:
        text = _cut(head, width - 1) + ("~" if ascii else ELLIPSIS)
    pad = " " * (width - cell_width(text))
    return text + pad if align == "left" else pad + text


def _cut(text: str, width: int) -> str:
    """The longest beginning of `text` that takes at most `width` cells."""
    if text.isascii():
        return text[:width]
    used = 0
    for place, char in enumerate(text):
        used += char_width(char)
        if used > width:
            return text[:place]
    return text


def gib(size: float | None) -> str:
    """Bytes as GiB with one decimal and no unit: `98.1`."""
    return f"{size / 2**30:.1f}" if known(size) else DASH


def fmt_bytes(size: float | None) -> str:
    """Bytes with a binary unit: `512 MiB`, `98.1 GiB`."""
    if not known(size):
        return DASH
    value, unit = float(size), "B"
    for bigger in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        if abs(value) < 1000:
            break
        value, unit = value / 1024, bigger
    return f"{_short(value)} {unit}"


def fmt_age(seconds: float | None) -> str:
    """Seconds in one unit: `12s`, `3m`, `2h`, `5d`."""
    if not known(seconds):
        return DASH
    left = int(max(0.0, seconds))
    for size, unit in ((60, "s"), (60, "m"), (24, "h")):
        if left < size:
            return f"{left}{unit}"
        left //= size
    return f"{_short(left)}d"


def fmt_duration(seconds: float | None) -> str:
    """Seconds as a clock: `9:41`, `1:02:03`."""
    if not known(seconds):
        return DASH
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def fmt_countdown(seconds: float | None) -> str:
    """Seconds as a clock that runs down: `9:41`, `59:02:03`; from 100 hours on `4d 07h`."""
    if not known(seconds) or seconds < 360_000:
        return fmt_duration(seconds)
    days, hours = divmod(int(seconds) // 3600, 24)
    return f"{days}d {hours:02}h" if days < 1000 else f"{fmt_count(days)}d"


def fmt_multiplier(value: float | None, *, ascii: bool = False) -> str:  # noqa: A002
    """A factor with two decimals: `×2.13` (`x2.13` in ASCII)."""
    return f"{'x' if ascii else '×'}{value:.2f}" if known(value) else DASH


def approx(figure: str, estimated: bool) -> str:
    """The figure, with `≈` before it where it is estimated; what is unknown stays so."""
    return f"≈{figure}" if estimated and figure != DASH else figure


def fmt_percent(fraction: float | None) -> str:
    """A ratio 0-1 as whole per cent: `42%`."""
    return f"{fraction * 100:.0f}%" if known(fraction) and known(fraction * 100) else DASH


def fmt_usd(amount: float | None, digits: int = 2) -> str:
    """USD, never with an exponent: `$60,000`, `$19.20`, `$0.42`, `$0.0042`.

    Whole dollars from a thousand on, else cents; below a dollar as many decimals as it takes for
    `digits` significant ones. Beyond a billion and below 0.00001 it is a bound: `<$0.00001`.
    """
    if not known(amount):
        return DASH
    sign, size = ("-" if amount < 0 else ""), abs(amount)
    if size >= 1e9:
        return f"{sign}>$999,999,999"
    if 0 < size < 1e-5:
        return f"{sign}<$0.00001"
    if round(size, 2) >= 1000:
        return f"{sign}${size:,.0f}"
    small = 0 < size < 1
    decimals = max(2, digits - 1 - math.floor(math.log10(size))) if small else 2
    whole, _, cents = f"{size:.{decimals}f}".partition(".")
    return f"{sign}${whole}.{cents.rstrip('0'):0<2}"


def fmt_count(value: float | None) -> str:
    """A number in at most a few characters: `7`, `12.3k`, `4.2M`."""
    if not known(value):
        return DASH
    left = float(value)
    for unit in ("", "k", "M", "G"):
        if abs(round(left, 1)) < 1000:
            return _short(left) + unit
        left /= 1000
    return _short(left) + "T"


def _short(value: float) -> str:
    if abs(value) >= 1e6:
        return f"{value:.1e}"
    return f"{value:.1f}".removesuffix(".0")
