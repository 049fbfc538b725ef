"""Characters that are dropped, replaced, or take no cell; code points by Unicode's own tables."""

import pytest

from tokentop.domain.text import cell_width, clean, fit, known

BLANK_OR_INVISIBLE = (
    0x034F,  # combining grapheme joiner
    0x115F, 0x1160, 0x3164, 0xFFA0,  # Hangul fillers
    0x17B4, 0x17B5,  # Khmer inherent vowels
    0x2800,  # blank braille
    0x180B, 0x180C, 0x180D, 0x180E, 0x180F,  # Mongolian variation selectors, separator
    *range(0xFE00, 0xFE10),  # variation selectors
    0xE0000, 0xE0001, 0xE0100, 0xE0FFF,  # tags, variation selectors supplement
    *range(0x1F3FB, 0x1F400),  # emoji skin tones
)  # fmt: skip
WIDE_SINCE_UNICODE_16 = (
    0x2630, 0x2637, 0x268A, 0x268F, 0x4DC0, 0x4DFF, 0x1D300, 0x1D356,
)  # fmt: skip
KEPT = (0x4E00, 0x114F, 0x115E, 0x17B3, 0x2801, 0xFDFF, 0x262F, 0x2638, 0x1F3FA, 0x1F400)


@pytest.mark.parametrize("code", BLANK_OR_INVISIBLE, ids=hex)
def test_what_would_hide_text_is_dropped(code: int) -> None:
    assert clean(f"a{chr(code)}b") == "ab"


@pytest.mark.parametrize("code", WIDE_SINCE_UNICODE_16, ids=hex)
def test_what_has_two_widths_is_replaced(code: int) -> None:
    assert clean(f"a{chr(code)}b") == "a?b"


@pytest.mark.parametrize("code", KEPT, ids=hex)
def test_the_neighbours_are_kept(code: int) -> None:
    assert clean(f"a{chr(code)}b") == f"a{chr(code)}b"


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("e\u0301", 1),  # Mn
        ("a\u20dd", 1),  # Me: combining enclosing circle
        ("a\u200db", 2),  # Cf
        ("\u1100\u1161\u11a8", 2),  # a Hangul syllable of three letters
        ("\u1100\ud7b0\ud7fb", 2),
        ("\u1100", 2),
        ("日", 2),
        ("Ａ", 2),  # fullwidth
        ("é", 1),
        ("\u02ff", 1),
    ],
)  # fmt: skip
def test_the_cells_of_a_text(text: str, cells: int) -> None:
    assert cell_width(text) == cells


def test_a_cut_uses_every_cell() -> None:
    assert fit("éabcdef", 4) == "éab…"
    assert fit("日本語日本", 7) == "日本語…"


def test_a_known_number_is_finite() -> None:
    assert known(0) is True
    assert [known(x) for x in (None, float("nan"), float("inf"), 10**400)] == [False] * 4
