"""The ASCII stand-ins of the text views."""

from tokentop.light_typing import Final

_STAND_INS: Final = str.maketrans("│×—…·→≥≤≈", "|x-~,>><~")


def ascii_only(text: str) -> str:
    """Return `text` with stand-ins for our own signs and `?` for any other character."""
    return text.translate(_STAND_INS).encode("ascii", "replace").decode("ascii")
