"""Repeatable noise: the same seed, channel and moment always give the same value."""

from tokentop.light_typing import Final

_MASK: Final = 2**64 - 1
_STEP_S: Final = 3.0  # a new random value this often, with straight lines between


def uniform(seed: int, channel: int, step: int) -> float:
    """A value in 0-1 that depends on nothing but its arguments (SplitMix64)."""
    mixed = (seed * 0x9E3779B97F4A7C15 + channel * 0xD1B54A32D192ED03 + step + 1) & _MASK
    for factor, shift in ((0xBF58476D1CE4E5B9, 30), (0x94D049BB133111EB, 27)):
        mixed = ((mixed ^ (mixed >> shift)) * factor) & _MASK
    return (mixed ^ (mixed >> 31)) / 2**64


def drift(seed: int, channel: int, t: float) -> float:
    """A value in -1..1 that wanders without jumps as `t` (seconds) goes on."""
    step, part = divmod(t / _STEP_S, 1.0)
    before = uniform(seed, channel, int(step))
    after = uniform(seed, channel, int(step) + 1)
    return 2 * (before + (after - before) * part) - 1
