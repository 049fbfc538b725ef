"""Memory that stays where it is: a monitor is kept open for weeks."""

import gc

_M_ARENA_MAX = -8  # glibc's malloc.h


def use_one_malloc_arena() -> None:
    """Ask glibc for a single arena before the first thread starts; elsewhere nothing happens.

    By default every thread may get an arena of its own, and pages once touched in one are hardly
    ever given back: with the driver's thread and a search for engines every 30 s that is a steady
    creep of memory for the sake of parallel allocation, which Python does not do.
    """
    import ctypes

    try:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
    except (AttributeError, OSError, TypeError):  # not glibc
        return


def freeze_loaded_objects() -> None:
    """Take what is loaded for good out of the collector's sight.

    A full collection is due when a quarter of all long-lived objects is new: with 100,000 of
    them loaded at the start, polls' garbage waits for hours. Without them it is soon, and cheap.
    """
    gc.collect()
    gc.freeze()
