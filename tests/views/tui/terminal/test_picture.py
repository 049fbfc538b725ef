"""What is sent of a picture: the cells that differ, in as few sequences as show the same."""

from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tests.views.tui.terminal.emulator import shown
from tokentop.views.tui.terminal.picture import Picture

DIM, BOLD = Style.parse("#808080 on #101010"), Style.parse("bold #ffffff on #101010")
BAR, UNDER = Style.parse("#808080 on #303030"), Style.parse("underline #808080 on #101010")


def strip(*parts: tuple[str, Style]) -> Strip:
    return Strip([Segment(text, style) for text, style in parts])


def sent(picture: Picture, *parts: tuple[str, Style], x: int = 0, y: int = 0) -> str:
    return picture.send([(y, x, strip(*parts))], ColorSystem.TRUECOLOR)


def test_the_first_picture_is_whole_and_closes_no_style() -> None:
    """One reset, one move, then of each style what differs from the one before."""
    assert sent(Picture(), ("load ", DIM), ("4", BOLD), (" GPUs", DIM)) == (
        "\x1b[0m\x1b[H\x1b[38;2;128;128;128;48;2;16;16;16mload "
        "\x1b[1;38;2;255;255;255m4 \x1b[22;38;2;128;128;128mGPUs"
    )


def test_what_is_there_is_not_sent_again() -> None:
    picture = Picture()
    sent(picture, ("load 4 GPUs", DIM))
    assert sent(picture, ("load 4 GPUs", DIM)) == ""
    assert sent(picture, ("load 7 GPUs", DIM)) == "\x1b[1;6H7"
    assert sent(picture, ("load 7 GPUs", BOLD), x=0).endswith("mload 7 GPUs")


def test_a_row_may_be_known_in_part() -> None:
    """What was never sent is sent, be it between two pieces or behind them; nothing is no cell."""
    picture = Picture()
    sent(picture, ("load", DIM))
    sent(picture, ("GPUs", DIM), x=7)
    assert sent(picture, x=20) == ""
    assert sent(picture, ("load 4 GPUs 8", DIM)) == "\x1b[1;5H 4 GPUs 8"
    assert sent(picture, ("load 4 GPUs 8", DIM)) == ""


def test_a_blank_has_a_background_and_lines_only() -> None:
    """The colour of its letters is not turned for it; a bar's or a line's blank is another one."""
    picture = Picture()
    sent(picture, ("a    b", DIM))
    assert sent(picture, ("a", DIM), ("    ", BOLD), ("b", DIM)) == ""
    assert sent(picture, ("a", DIM), ("    ", BAR), ("b", DIM)) == (
        "\x1b[1;2H\x1b[48;2;48;48;48m    "
    )
    assert sent(picture, ("a", DIM), ("    ", UNDER), ("b", DIM)).count("    ") == 1


def test_words_are_sent_whole() -> None:
    """A reader of the stream, such as a screen reader, finds them."""
    picture = Picture()
    sent(picture, ("parch", DIM))
    assert sent(picture, ("Search", DIM), x=0) == "\x1b[HSearch"
    assert sent(picture, ("Seance", DIM)) == "\x1b[HSeance"


def test_a_wide_character_is_never_cut() -> None:
    picture = Picture()
    stream = sent(picture, ("漢字 ab", DIM)) + sent(picture, ("x漢 ab ", DIM))
    assert shown(stream, 7, 1) == "x漢 ab "
    assert shown(stream + sent(picture, ("xyz ab ", DIM)), 7, 1) == "xyz ab "


def test_after_another_program_everything_is_sent() -> None:
    picture = Picture()
    first = sent(picture, ("load 4 GPUs", DIM))
    picture.forget()
    assert sent(picture, ("load 4 GPUs", DIM)) == first


def test_pieces_side_by_side_need_one_move() -> None:
    pieces = [(2, 3, strip(("left", DIM))), (2, 7, strip(("right", DIM)))]
    assert Picture().send(pieces, ColorSystem.TRUECOLOR).count("H") == 1


def test_to_the_right_the_column_is_enough() -> None:
    """A clock and an age in one header: two short moves a second. Back and down need the row."""
    picture = Picture()
    header, lower = [" " * 40, "00:01", " " * 60, "3s"], [(" " * 9, DIM)]
    sent(picture, *((part, DIM) for part in header))
    sent(picture, *lower, y=1)
    header[1], header[3] = "00:02", "4s"
    pieces = [(0, 0, strip(*((part, DIM) for part in header))), (1, 8, strip(("b", DIM)))]
    stream = picture.send([*pieces, (1, 2, strip(("a", DIM)))], ColorSystem.TRUECOLOR)
    assert stream == "\x1b[1;44H02\x1b[106G4s\x1b[2;9Hb\x1b[2;3Ha"


def test_attributes_are_turned_off_one_by_one() -> None:
    """Bold ends and dim begins: 22 ends both, so dim is turned on after it."""
    picture = Picture()
    sent(picture, ("a", Style(bold=True, dim=True, italic=True)))
    assert sent(picture, ("b", Style(dim=True, italic=True))) == "\x1b[H\x1b[22;2mb"
    assert sent(picture, ("c", Style())) == "\x1b[H\x1b[22;23mc"
