"""What the user has chosen to look at: one value, changed by keys, drawn by the scene."""

from typing import Literal, NamedTuple

Name = Literal["dashboard", "gpus", "history", "engines", "costs"]
NAMES: tuple[Name, ...] = ("dashboard", "gpus", "history", "engines")  # what tab goes through


class ViewState(NamedTuple):
    """The view and how its list is sorted, filtered and scrolled.

    `cursor` is the engine pointed at, `opened` the one shown in full, `kept` where its table stood,
    `before` the view that the costs were opened from. `paused_at` is the monotonic time at which
    the picture was stopped.
    """

    name: Name = "dashboard"
    compact: bool = False
    sort: str = "index"
    filter: str = ""
    filtering: bool = False
    offset: int = 0
    paused_at: float | None = None
    notice: str = ""
    engine_sort: str = "model"
    cursor: str = ""
    opened: str | None = None
    kept: int = 0
    before: Name = "dashboard"

    def named(self, name: Name) -> "ViewState":
        """The same choices in another view, its list at its top; a filter stays with its list."""
        same = ("engines" in (name, self.name)) == (name == self.name)
        return self._replace(
            name=name,
            compact=False,
            offset=0,
            opened=None,
            filter=self.filter if same else "",
            before=self.before if self.name == "costs" else self.name,
        )

    def next(self, step: int) -> "ViewState":
        """The view `step` places further, round and round."""
        here = self.name if self.name in NAMES else self.before
        return self.named(NAMES[(NAMES.index(here) + step) % len(NAMES)])

    def typed(self, text: str, limit: int = 64) -> "ViewState":
        """The filter with `text` typed at its end."""
        safe = "".join(char for char in text if char.isprintable())
        return self._replace(filter=(self.filter + safe)[:limit], offset=0)

    def rubbed_out(self) -> "ViewState":
        """The filter without its last character."""
        return self._replace(filter=self.filter[:-1], offset=0)

    def scrolled(self, offset: int, last: int) -> "ViewState":
        """The list starting at row `offset`, kept between the first and the `last` start."""
        return self._replace(offset=max(0, min(offset, last)))
