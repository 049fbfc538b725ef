import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tokentop.domain import text
from tokentop.domain.text import DASH, cell_width, clean, clean_name, fit

NASTY = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07after",
    "\x1b]8;;http://x\x1b\\link",
    "\x1b",
    "a\u202egnp.exe",
    "zero\u200bwidth\ufeff",
    "日本語のモデル",
    "e" + "\u0301" * 50,
    "\u0301leading mark",
    "x" * 10_000,
    "日" * 10_000,
    "line\r\nbreak\ttab",
    "\ud800 lone surrogate",
    "\u3164\u2800hidden",
    "👩‍💻 emoji ❤️",
    "\x9b31m",
    "",
]
anything = st.one_of(st.text(), st.sampled_from(NASTY), st.text(st.characters(max_codepoint=0x9F)))


class TestClean:
    @given(anything, st.integers(0, 300))
    def test_leaves_nothing_that_could_move_the_cursor_or_reorder_text(self, raw, limit):
        """No control, format, bidi, surrogate or unassigned character survives; length holds."""
        safe = clean(raw, limit)
        assert len(safe) <= limit
        assert safe.isprintable()
        assert {unicodedata.category(c) for c in safe}.isdisjoint(
            {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        )

    @given(anything)
    def test_is_idempotent(self, raw):
        """Cleaning clean text changes nothing."""
        assert clean(clean(raw)) == clean(raw)

    @pytest.mark.parametrize(
        ("raw", "safe"),
        [
            ("\x1b[31mred\x1b[0m", "red"),
            ("\x1b]0;title\x07after", "after"),
            ("\x1b]8;;http://x\x1b\\link", "link"),
            ("a\u202egnp.exe", "agnp.exe"),
            ("line\nbreak\ttab", "line break tab"),
            ("[bold]markup[/]", "[bold]markup[/]"),
            ("日本語", "日本語"),
            ("\ud800", "?"),
            ("e\u0301\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301"),
            ("\u0301x", "x"),
            ("  qwen  ", "qwen"),
        ],
    )
    def test_keeps_what_a_reader_can_use(self, raw, safe):
        """Escape sequences vanish whole, words stay."""
        assert clean(raw) == safe

    def test_cuts_with_an_ellipsis(self):
        """10 kB become `limit` characters that say there was more."""
        assert clean("x" * 10_000, 8) == "xxxxxxx…"


class TestFit:
    @given(anything, st.integers(-2, 60), st.sampled_from(["left", "right"]), st.booleans())
    @example("日本", 3, "left", False)
    @example("日本", 1, "right", True)
    @example("a" * 10 + "\u0301" * 60 + "b", 10, "left", False)
    @example("\u1100" + "\u1161" * 60 + "bc", 3, "left", False)
    def test_is_exactly_as_wide_as_asked(self, raw, width, align, plain):
        """Any text in, exactly `width` printable cells out."""
        drawn = fit(raw, width, align, ascii=plain)
        assert cell_width(drawn) == max(0, width)
        assert drawn.isprintable()

    @pytest.mark.parametrize(
        ("raw", "width", "drawn"),
        [("ab", 4, "ab  "), ("abcdef", 4, "abc…"), ("日本語", 4, "日… "), ("日本", 4, "日本")],
    )
    def test_pads_or_cuts_on_a_cell_boundary(self, raw, width, drawn):
        """A wide character is never halved."""
        assert fit(raw, width) == drawn

    def test_aligns_right_and_cuts_in_ascii(self):
        """Numbers stand right; without block characters the cut is a tilde."""
        assert fit("7", 3, "right") == "  7"
        assert fit("abcdef", 4, ascii=True) == "abc~"

    @given(st.text(max_size=40))
    @example("\u0928\u0940\u0932 \u1031 👍🏽 ❤️ \u2f8c\U0001f8a6")
    def test_agrees_with_the_screen_library_about_whole_texts(self, raw):
        """Rich joins characters into clusters; clean() leaves none whose width that changes."""
        from rich.cells import cell_len

        safe = clean(raw)
        assert cell_len(safe) == cell_width(safe)

    def test_agrees_with_the_screen_library_about_widths(self):
        """Every character of the basic plane that clean() lets pass has the width Rich gives it.

        A few may differ between Unicode versions; more than that would be our mistake.
        """
        from rich.cells import cell_len

        passed = [c for c in map(chr, range(0x20, 0xD800)) if clean(c) == c and c != " "]
        differ = [c for c in passed if cell_len(c) != cell_width(c)]
        assert len(passed) > 40_000
        assert len(differ) < 20, [hex(ord(c)) for c in differ[:50]]


class TestFormats:
    @pytest.mark.parametrize(
        ("drawn", "expected"),
        [
            (text.gib(int(98.1 * 2**30)), "98.1"),
            (text.gib(0), "0.0"),
            (text.fmt_bytes(0), "0 B"),
            (text.fmt_bytes(1536), "1.5 KiB"),
            (text.fmt_bytes(98.1 * 2**30), "98.1 GiB"),
            (text.fmt_age(12.9), "12s"),
            (text.fmt_age(200), "3m"),
            (text.fmt_age(7300), "2h"),
            (text.fmt_age(500_000), "5d"),
            (text.fmt_age(-3), "0s"),
            (text.fmt_duration(581), "9:41"),
            (text.fmt_duration(3723), "1:02:03"),
            (text.fmt_duration(0.4), "0:00"),
            (text.fmt_multiplier(2.129), "×2.13"),
            (text.fmt_multiplier(2.129, ascii=True), "x2.13"),
            (text.fmt_percent(0.42), "42%"),
            (text.fmt_percent(0), "0%"),
            (text.fmt_usd(0), "$0.00"),
            (text.fmt_usd(0.42), "$0.42"),
            (text.fmt_usd(0.3125), "$0.31"),
            (text.fmt_usd(0.3125, digits=4), "$0.3125"),
            (text.fmt_usd(0.31, digits=4), "$0.31"),
            (text.fmt_usd(0.0999), "$0.10"),
            (text.fmt_usd(0.0042), "$0.0042"),
            (text.fmt_usd(0.000012), "$0.000012"),
            (text.fmt_usd(0.000001), "<$0.00001"),
            (text.fmt_usd(2.4), "$2.40"),
            (text.fmt_usd(999.994), "$999.99"),
            (text.fmt_usd(999.996), "$1,000"),
            (text.fmt_usd(60_000), "$60,000"),
            (text.fmt_usd(2e12), ">$999,999,999"),
            (text.fmt_usd(-0.5), "-$0.50"),
            (text.fmt_count(7), "7"),
            (text.fmt_count(10.0), "10"),
            (text.fmt_count(999), "999"),
            (text.fmt_count(999.97), "1k"),
            (text.fmt_count(12345), "12.3k"),
            (text.fmt_count(4_200_000), "4.2M"),
        ],
    )
    def test_units(self, drawn, expected):
        """Each unit reads as a person would write it."""
        assert drawn == expected

    @given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 6))
    def test_money_is_plain_and_short(self, amount, digits):
        """No exponent, at least cents below a thousand, and as wide as a column can be."""
        drawn = text.fmt_usd(amount, digits)
        assert re.fullmatch(r"-?[<>]?\$[0-9,]+(\.[0-9]{2,})?", drawn)
        assert len(drawn) <= 15

    @pytest.mark.parametrize(
        "form",
        [
            text.gib,
            text.fmt_bytes,
            text.fmt_age,
            text.fmt_duration,
            text.fmt_multiplier,
            text.fmt_percent,
            text.fmt_usd,
            text.fmt_count,
        ],
    )
    @pytest.mark.parametrize(
        "value", [None, float("nan"), float("inf"), -float("inf"), 10**400, 1e308, -1.0, 1e-9]
    )
    def test_unknown_is_a_dash_and_never_nan(self, form, value):
        """None, NaN and infinity print as a dash; no number prints as nan or inf."""
        drawn = form(value)
        assert "nan" not in drawn
        assert "inf" not in drawn
        if not text.known(value):
            assert drawn == DASH


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://user:pw@host/models/m", "https://host/models/m"),
        ("https://token@host:8443/m", "https://host:8443/m"),
        ("s3://KEY:SECRET@bucket/m", "s3://bucket/m"),
        ("s3://AKIAEXAMPLE:wJalrXUtn/bucket", "s3:///bucket"),
        ("https://h/m?X-Amz-Signature=abc&x=1", "https://h/m"),
        ("https://h/m#token=abc", "https://h/m"),
        ("vllm serve https://u:p@h/m --port 1", "vllm serve https://h/m --port 1"),
        ("http://localhost:8000/m", "http://localhost:8000/m"),
        ("http://[::1]:8000/m", "http://[::1]:8000/m"),
        ("Qwen/Qwen3-27B:latest", "Qwen/Qwen3-27B:latest"),
    ],
)
def test_a_name_that_is_an_address_loses_its_credentials(location: str, shown: str) -> None:
    """Models are named by where they are loaded from."""
    assert clean_name(location) == shown
