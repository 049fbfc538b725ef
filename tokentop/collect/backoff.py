"""How long to wait before the next try: longer each time, and not in step with others."""

from collections.abc import Callable

FIRST_S, LONGEST_S = 1.0, 30.0


class Backoff:
    """Doubles from FIRST_S to LONGEST_S; `random` gives 0-1, of which up to a half is taken off.

    Without that every viewer would come back to a restarted collector in the same moment.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._next_s = FIRST_S

    def pause_s(self) -> float:
        """Seconds to wait now."""
        pause_s, self._next_s = self._next_s, min(LONGEST_S, 2 * self._next_s)
        return pause_s * (1 - 0.5 * self._random())

    def reset(self) -> None:
        """It works: the next trouble is a new one."""
        self._next_s = FIRST_S
