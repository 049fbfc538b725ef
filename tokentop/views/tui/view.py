"""What the user has chosen to look at: one value, changed by keys, drawn by the scene."""

from typing import Literal, NamedTuple

Name = Literal["dashboard", "gpus", "history"]
NAMES: tuple[Name, ...] = ("dashboard", "gpus", "history")


class View(NamedTuple):
    """The view and how its GPU list is sorted, filtered and scrolled.

    `paused_at` is the monotonic time at which the picture was stopped.
    """

    name: Name = "dashboard"
    compact: bool = False
    sort: str = "index"
    filter: str = ""
    filtering: bool = False
    offset: int = 0
    paused_at: float | None = None
    notice: str = ""

    def named(self, name: Name) -> "View":
        """The same choices in another view; the GPU list starts at its top."""
        return self._replace(name=name, compact=False, offset=0)

    def next(self, step: int) -> "View":
        """The view `step` places further, round and round."""
        return self.named(NAMES[(NAMES.index(self.name) + step) % len(NAMES)])

    def typed(self, text: str, limit: int = 64) -> "View":
        """The filter with `text` typed at its end."""
        safe = "".join(char for char in text if char.isprintable())
        return self._replace(filter=(self.filter + safe)[:limit], offset=0)

    def rubbed_out(self) -> "View":
        """The filter without its last character."""
        return self._replace(filter=self.filter[:-1], offset=0)

    def scrolled(self, offset: int, last: int) -> "View":
        """The GPU list starting at row `offset`, kept between the first and the `last` start."""
        return self._replace(offset=max(0, min(offset, last)))
