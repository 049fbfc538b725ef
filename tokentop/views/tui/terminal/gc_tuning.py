"""Garbage collector and allocator settings of a process that runs for weeks."""

import gc

_M_ARENA_MAX = -8  # glibc's malloc.h


def use_one_malloc_arena() -> None:
    """Set glibc's M_ARENA_MAX to 1, before the first thread starts; a no-op with another libc.

    By default every thread may get an arena of its own, and pages once touched in one are hardly
    ever given back: with the driver's thread and a search for engines every 30 s resident memory
    grows steadily, for parallel allocation that the interpreter lock rules out anyway.
    """
    import ctypes

    try:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
    except (AttributeError, OSError, TypeError):  # not glibc
        return


def begin_collecting() -> None:
    """Collect garbage from now on, but not among the objects that exist now.

    Off until the first picture: loading makes no garbage, and collections among 100,000 new objects
    are a fifth of the time to it.
    """
    gc.freeze()
    gc.enable()


def freeze_loaded_objects() -> None:
    """Exempt every object that exists now from garbage collection.

    A full collection is due when a quarter of all long-lived objects is new: with 100,000 of
    them loaded at the start, the garbage of polls waits for hours. Without them a full collection
    comes soon and is cheap.
    """
    gc.collect()
    gc.freeze()
