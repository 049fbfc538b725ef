"""Every terminal gets the colours that it has: by its name where COLORTERM says nothing."""

import re
from pathlib import Path

import pytest
from rich.console import Console

from tests.views.tui.conftest import MakeApp
from tests.views.tui.pilot import app_of, strips
from tests.views.tui.pseudo_terminal import STILL, PseudoTerminal
from tokentop.views.palette_256 import XTERM
from tokentop.views.tui.depth import Depth
from tokentop.views.tui.terminal.color_depth import depth_of, show_depth

_SGR = re.compile(rb"\x1b\[([0-9;]*)m")
_FRAME = 237  # the dark theme's, a grey


def sent(terminal: PseudoTerminal) -> set[str]:
    """The parameters of every SGR sequence of a first picture."""
    stream = terminal.read_until(b"quit", b"services")
    return {found.decode() for found in _SGR.findall(stream)}


def started(tmp_path: Path, *args: str, **env: str) -> PseudoTerminal:
    """A picture that stands still, in a terminal of this environment."""
    env = {"XDG_CONFIG_HOME": str(tmp_path), "COLORTERM": "", **env}
    return PseudoTerminal([*STILL, *args], env, size=(120, 40))


def kinds(codes: set[str]) -> set[str]:
    """Which kinds of colour there are among SGR parameters."""
    found = {match[1] for code in codes for match in re.finditer(r"[34]8;(2|5);", code)}
    names = {"2": "truecolor", "5": "256"}
    rest = {re.sub(r"[34]8;5;\d+|[34]8;2;\d+;\d+;\d+", "", code) for code in codes}
    basic = any(re.search(r"(^|;)(3|4|9|10)[0-7](;|$)", code) for code in rest)
    return {names[kind] for kind in found} | ({"16"} if basic else set())


def has_weight(codes: set[str]) -> bool:
    """Whether something is bold."""
    return any(code.split(";")[0] == "1" for code in codes)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, {"truecolor"}),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, set()),
    ],
    ids=lambda given: " ".join(given.values()) if isinstance(given, dict) else "",
)
def test_a_terminal_is_sent_the_colours_it_has(
    tmp_path: Path, env: dict[str, str], expected: set[str]
) -> None:
    """One kind of colour and no other; weight stays where there is none."""
    with started(tmp_path, **env) as terminal:
        codes = sent(terminal)
    assert kinds(codes) == expected
    assert has_weight(codes)


def test_256_colours_are_the_themes_own(tmp_path: Path) -> None:
    """Frames have the number from the table, and not the teal that rounding makes of them."""
    with started(tmp_path, TERM="tmux-256color") as terminal:
        codes = sent(terminal)
    assert kinds(codes) == {"256"}
    assert has_weight(codes)
    numbers = {int(number) for number in re.findall(r"[34]8;5;(\d+)", " ".join(codes))}
    assert _FRAME in numbers
    assert numbers <= set(XTERM["dark"].values())


async def test_the_help_over_the_screen_has_greys_of_256(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies behind it is blended, and still a number rather than a rounded colour."""
    monkeypatch.delenv("COLORTERM")
    async with make_app().run_test(size=(120, 40)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        styles = [s.style for strip in strips(app_of(pilot)) for s in strip if s.style]
        numbers = {c.number for style in styles for c in (style.color, style.bgcolor) if c}
        assert None not in numbers


@pytest.mark.parametrize(
    ("term", "expected", "words"),
    [("linux", {"16"}, "16 colours"), ("vt100", set(), "no colours")],
)
def test_fewer_colours_choose_their_theme(
    tmp_path: Path, term: str, expected: set[str], words: str
) -> None:
    """Whatever theme is configured; `t` says why there is no other."""
    with started(tmp_path, "--theme", "light", TERM=term) as terminal:
        codes = sent(terminal)
        assert kinds(codes) == expected
        assert has_weight(codes)
        terminal.press(b"t")
        terminal.read_until(words.encode())


def test_without_a_description_a_terminal_has_sixteen() -> None:
    """A name that no database knows; a known name of today's terminals has 256."""
    assert depth_of({"TERM": "no-such-terminal"}) is Depth.SIXTEEN
    assert depth_of({"TERM": "screen"}) is Depth.SIXTEEN
    assert depth_of({"TERM": "alacritty"}) is Depth.XTERM
    assert depth_of({"TERM": "xterm-256color"}) is Depth.XTERM
    assert depth_of({"TERM": "xterm-kitty"}) is Depth.XTERM
    assert depth_of({"TERM": "xterm-direct"}) is Depth.TRUECOLOR


@pytest.mark.parametrize(
    ("depth", "name"),
    [(Depth.TRUECOLOR, "truecolor"), (Depth.XTERM, "256"), (Depth.SIXTEEN, "standard")],
)
def test_rich_sends_what_the_terminal_has(depth: Depth, name: str) -> None:
    """`Console.color_system` is read from the private name that is set."""
    console = Console(force_terminal=True, _environ={"TERM": "xterm"})
    show_depth(console, depth)
    assert console.color_system == name
