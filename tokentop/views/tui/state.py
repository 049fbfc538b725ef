"""The view that the user has chosen: one value, changed by keys."""

from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple

Name = Literal[
    "dashboard", "gpus", "history", "engines", "costs", "why", "events", "hosts", "budgets",
    "ledger",
]  # fmt: skip
NAMES: tuple[Name, ...] = ("dashboard", "gpus", "history", "engines")  # tab goes through them

PAGES: tuple[Name, ...] = (
    "costs",
    "why",
    "events",
)  # opened over another view, to which esc goes back
_FILTERED: tuple[Name, ...] = ("engines", "budgets", "ledger")  # each has a filter of its own


class ViewState(NamedTuple):
    """The view and how its list is sorted, filtered and scrolled.

    `cursor` is the id of the engine under the cursor, `opened` of what is shown in full: an
    engine, a budget, an entry of the ledger;
    `process_sort` and `process` (a Row.key) are the same of the GPU page's processes.
    `host_sort` and `host` (a HostRow.key) are the same of the hosts, `budget_sort` and `budget`
    (a Row.key) of the budgets; `entry` is the identity of the ledger's entry under the cursor.
    `table_offset` is where the table stood when it was opened, `previous` the view from which the
    costs, the reasons or the events were opened. `paused_at` is monotonic, s, and so is `moment`,
    the history's cursor; it shows `span_s` seconds up to `ends_at`, None for the last hour and for
    now. `reverse`, `engine_reverse` and `process_reverse`: a
    table stands upside down. `jump` is the moment that is typed, in a replay.
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
    table_offset: int = 0
    previous: Name = "dashboard"
    process_sort: str = "gpu"
    process: str = ""
    host_sort: str = "name"
    host_reverse: bool = False
    host: str = ""
    moment: float | None = None
    span_s: float | None = None
    ends_at: float | None = None
    reverse: bool = False
    engine_reverse: bool = False
    process_reverse: bool = False
    jump: str | None = None
    budget_sort: str = "clock"
    budget_reverse: bool = False
    budget: str = ""
    entry: str = ""

    def named(self, name: Name) -> "ViewState":
        """The same choices in another view, its list at the top; a filter stays with its list."""
        same = bool({name, self.name} & {*_FILTERED}) == (name == self.name)
        return self._replace(
            name=name,
            compact=False,
            offset=0,
            opened=None,
            moment=None,
            span_s=None,
            ends_at=None,
            filter=self.filter if same else "",
            previous=self.previous if self.name in PAGES else self.name,
        )

    def next(self, step: int) -> "ViewState":
        """The view `step` places further, the first after the last; others count as the first."""
        here = next((name for name in (self.name, self.previous) if name in NAMES), NAMES[0])
        return self.named(NAMES[(NAMES.index(here) + step) % len(NAMES)])

    def typed(self, text: str, limit: int = 64) -> "ViewState":
        """The filter with `text` appended, at most `limit` characters."""
        safe = "".join(char for char in text if char.isprintable())
        return self._replace(filter=(self.filter + safe)[:limit], offset=0)

    def key_typed(self, key: str, character: str) -> "ViewState":
        """The filter after a key: enter keeps it, esc clears it."""
        if key in ("enter", "escape"):
            kept = self.filter if key == "enter" else ""
            return self._replace(filtering=False, filter=kept, offset=0)
        if key in ("backspace", "ctrl+h"):
            return self.backspaced()
        return self.typed(character) if character else self

    def backspaced(self) -> "ViewState":
        """The filter without its last character."""
        return self._replace(filter=self.filter[:-1], offset=0)

    def scrolled(self, offset: int, last: int) -> "ViewState":
        """The list starting at row `offset`, kept between the first and the `last` start."""
        return self._replace(offset=max(0, min(offset, last)))
