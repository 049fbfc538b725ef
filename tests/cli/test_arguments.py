"""Flags alone are read without argparse, and mean what argparse makes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.arguments.full_parser import parser
from tokentop.arguments.options import OPTIONS
from tokentop.arguments.parse import flags_only

FLAGS = [flag for option in OPTIONS for flag in option.flags]
VALUES = ["4", "0.5", "", "a b", "-1", "-", "--", "http://box:8000", "doctor", "x=y", "--nothing"]
WORD = st.one_of(
    st.sampled_from(FLAGS),
    st.sampled_from(VALUES),
    st.builds("{}={}".format, st.sampled_from(FLAGS), st.sampled_from(VALUES)),
)


@given(st.lists(WORD, max_size=6))
def test_flags_mean_what_argparse_makes_of_them(words: list[str]) -> None:
    found = flags_only(words)
    if found is not None:
        known, unknown = parser().parse_known_intermixed_args(words)
        assert (found, []) == (vars(known), unknown)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_flag_is_read(option) -> None:
    for flag in option.flags:
        words = [f"{flag}=4"] if option.value else [flag]
        found = flags_only(words)
        known, _ = parser().parse_known_intermixed_args(words)
        assert found == vars(known)
        if option.takes_word:
            assert flags_only([flag, "4"]) == found


@pytest.mark.parametrize("words", [["doctor"], ["--compac"], ["--check=yes"], ["--interval"]])
def test_everything_else_is_left_to_argparse(words: list[str]) -> None:
    assert flags_only(words) is None
