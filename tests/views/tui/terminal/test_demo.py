"""What `tokentop --demo` shows to someone who tries it for the first time."""

import re
import time
from pathlib import Path

import pytest

from tests.views.tui.pseudo_terminal import PseudoTerminal
from tests.views.tui.terminal.emulator import shown

WITHIN_S = 5.0
BUSY = ("MODERATE", "DEMO", " tok/s", "/Mtok", "qwen3.6-27b", "H200", "$17.60/h")
PARTS = (
    ("--demo", (120, 40), (*BUSY, "7/7 services", "L40S", "3/3 engines")),
    ("--demo=engines", (80, 24), (*BUSY, "llamacpp", "sglang", "vllm")),
    ("--demo=fleet", (120, 40), ("DEMO", "64/64 engines", "128 GPUs", " tok/s", "/Mtok")),
    ("--demo=stack", (120, 40), ("DEMO", "IDLE", "7/7 services")),
    ("--demo=gpus", (120, 40), ("DEMO", "H200", "mira")),
)


@pytest.mark.parametrize(("word", "size", "wanted"), PARTS, ids=[word for word, *_ in PARTS])
def test_it_is_at_work_within_five_seconds(
    word: str, size: tuple[int, int], wanted: tuple[str, ...], tmp_path: Path
) -> None:
    """Busy engines with their tokens a second, what they cost, and a tier above idle."""
    began = time.monotonic()
    with PseudoTerminal([word], {"XDG_CONFIG_HOME": str(tmp_path)}, size=size) as terminal:
        missing, picture = wanted, ""
        while missing and time.monotonic() < began + WITHIN_S:
            terminal.read_some()
            picture = text_of(terminal.seen, size)
            missing = tuple(text for text in wanted if text not in picture)
        assert not missing, picture
        terminal.press(b"q")
        assert terminal.wait()[0] == 0


def text_of(stream: bytes, size: tuple[int, int]) -> str:
    """The picture on the terminal, to the last whole update."""
    *whole, _ = re.split(r"\x1b\[(?:1;1)?H", stream.decode(errors="ignore"))
    return shown("\x1b[H".join(whole), *size) if whole else ""
