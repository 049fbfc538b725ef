import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.domain.text import cell_width
from tokentop.views.tui.draw.kit.cells import bar, segments, sparkline

number = st.one_of(
    st.none(),
    st.floats(),
    st.floats(-0.5, 1.5),
    st.integers(-3, 200),
    st.just(10**400),
)
widths = st.integers(-3, 80)


class TestBar:
    @given(number, widths, st.booleans())
    def test_is_exactly_as_wide_as_asked(self, fraction, width, plain):
        """Any fraction, unknown and over-full included, fills exactly `width` cells."""
        assert cell_width(bar(fraction, width, ascii=plain)) == max(0, width)

    @given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 60))
    def test_grows_with_the_fraction(self, one, other, width):
        """A larger fraction never draws a shorter bar."""
        small, large = sorted((one, other))
        assert ink(bar(small, width)) <= ink(bar(large, width))

    @given(st.floats(0.0001, 0.9999), st.integers(1, 60))
    def test_almost_is_not_quite(self, fraction, width):
        """Only 0 looks empty, only 1 looks full."""
        assert 0 < ink(bar(fraction, width)) < 8 * width

    @pytest.mark.parametrize(
        ("fraction", "drawn"),
        [
            (0.0, "    "),
            (0.5, "██  "),
            (0.53125, "██▏ "),
            (1.0, "████"),
            (7.0, "████"),
            (-1.0, "    "),
            (None, "····"),
            (float("nan"), "····"),
        ],
    )
    def test_draws_eighths(self, fraction, drawn):
        """Known points of the bar."""
        assert bar(fraction, 4) == drawn

    def test_has_an_ascii_face(self):
        """Without block characters: hashes, and dots for unknown."""
        assert bar(0.6, 5, ascii=True) == "###  "
        assert bar(None, 3, ascii=True) == "..."
        assert bar(0.01, 5, ascii=True).isascii()


def ink(drawn: str) -> int:
    return sum(" ▏▎▍▌▋▊▉█".index(cell) for cell in drawn)


class TestSegments:
    @given(st.lists(st.tuples(st.text(max_size=3), number), max_size=6), number, widths)
    def test_widths_sum_to_the_width(self, parts, total, width):
        """Any parts and any total share out exactly `width` cells, in the parts' order."""
        drawn = segments(parts, total, width)
        assert sum(cells for _, cells in drawn) == max(0, width)
        assert all(cells >= 0 for _, cells in drawn)
        assert [name for name, _ in drawn[: len(parts)]] == [name for name, _ in parts]

    @given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=6), st.integers(6, 60))
    def test_what_is_there_is_seen(self, values, width):
        """Every non-zero part gets a cell where there are enough cells."""
        drawn = segments([(str(i), value) for i, value in enumerate(values)], sum(values), width)
        assert all(cells >= 1 for name, cells in drawn if name)

    @pytest.mark.parametrize(
        ("parts", "total", "width", "drawn"),
        [
            ([("active", 26), ("queued", 7)], 48, 48, [("active", 26), ("queued", 7), ("", 15)]),
            ([("active", 1), ("free", 2)], 3, 10, [("active", 3), ("free", 7)]),
            ([("active", 1), ("free", 999)], 1000, 10, [("active", 1), ("free", 9)]),
            ([("a", 60)], 48, 10, [("a", 10)]),
            ([("a", 0)], 0, 4, [("a", 0), ("", 4)]),
            ([("a", None)], None, 4, [("a", 0), ("", 4)]),
            ([], 5, 3, [("", 3)]),
        ],
    )
    def test_known_cases(self, parts, total, width, drawn):
        """Exact shares, the rest last, over-full and unknown totals."""
        assert segments(parts, total, width) == drawn


class TestSparkline:
    @given(st.lists(number, max_size=100), widths, number, st.booleans())
    def test_is_exactly_as_wide_as_asked(self, values, width, top, plain):
        """Any values fill exactly `width` cells."""
        assert cell_width(sparkline(values, width, top=top, ascii=plain)) == max(0, width)

    def test_keeps_the_newest_at_the_right_and_gaps_blank(self):
        """An unknown value is a gap, zero the lowest level, the newest stands rightmost."""
        assert sparkline([0.0, None, 0.5, 1.0], 6) == "  ▁ ▅█"
        assert sparkline([1.0, 0.0, 0.5], 2) == "▁▅"
        assert sparkline([0, 5, 10], 3, top=10, ascii=True) == "_=#"
