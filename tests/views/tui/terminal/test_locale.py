"""A locale that is not UTF-8 gets ASCII by itself."""

from pathlib import Path

import pytest

from tests.views.tui.pseudo_terminal import STILL, PseudoTerminal
from tokentop.views.terminal import locale_is_utf8

NONE = {"LANG": "", "LC_ALL": "", "LC_CTYPE": ""}


def first_picture(tmp_path: Path, env: dict[str, str], *then: tuple[bytes, bytes]) -> bytes:
    """What is sent until the footer stands, and after each key until its word comes."""
    env = {"XDG_CONFIG_HOME": str(tmp_path), **NONE, **env}
    with PseudoTerminal(STILL, env, size=(120, 40)) as terminal:
        terminal.read_until(b"quit", b"services")
        for key, word in then:
            terminal.press(key)
            terminal.read_until(word)
        return terminal.seen


@pytest.mark.parametrize(
    "env",
    [{}, {"LANG": "C.UTF-8", "PYTHONIOENCODING": "latin-1"}],
    ids=lambda env: " ".join(env.values()) or "unset",
)
def test_another_locale_gets_ascii(tmp_path: Path, env: dict[str, str]) -> None:
    """Frames, bars, help and the command palette: not one byte above 127, and no heap of ?."""
    keys = ((b"?", b"Keys"), (b"x", b"quit"), (b"\x10", b"Search"))
    stream = first_picture(tmp_path, env, *keys)
    assert stream.isascii()
    assert b"+-" in stream
    assert b"####" in stream
    assert b"???" not in stream


def test_a_utf_8_locale_gets_blocks(tmp_path: Path) -> None:
    """As before."""
    assert "╭─".encode() in first_picture(tmp_path, {"LC_CTYPE": "C.utf8"})


def test_lc_all_goes_before_lc_ctype_before_lang() -> None:
    """And PYTHONUTF8=1 before all of them, as for the interpreter."""
    assert not locale_is_utf8({})
    assert not locale_is_utf8({"LANG": "C"})
    assert not locale_is_utf8({"LANG": "de_DE.ISO-8859-1"})
    assert not locale_is_utf8({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"})
    assert not locale_is_utf8({"LC_ALL": "C", "LC_CTYPE": "C.UTF-8", "LANG": "C.UTF-8"})
    assert locale_is_utf8({"LC_ALL": "", "LC_CTYPE": "C.UTF-8", "LANG": "C"})
    assert locale_is_utf8({"LANG": "C", "PYTHONUTF8": "1"})
