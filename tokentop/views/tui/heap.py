"""One heap for all threads: a monitor that stays open for weeks must not collect heaps."""

_M_ARENA_MAX = -8  # glibc's malloc.h


def share_one_heap() -> None:
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
