"""The number of colours that a terminal has, as bits of a colour."""

from enum import IntEnum


class Depth(IntEnum):
    """Bits of a colour; NONE: weight and reverse only, which NO_COLOR asks for too."""

    NONE = 0
    SIXTEEN = 4
    XTERM = 8
    TRUECOLOR = 24
