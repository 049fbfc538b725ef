"""The command palette's entries in useful order: views, sorts, themes, then the other keys."""

from collections.abc import Iterator, Sequence

from tokentop.config.schema import THEMES
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.sorts import BUDGET_SORTS, ENGINE_SORTS, GPU_SORTS, PROCESS_SORTS
from tokentop.views.tui.keys import Key

_KEYS_ONLY = ("scroll_", "point", "step_back", "command_palette", "next_view")


class Command(NamedTuple):
    """One entry: what it is called, the grey line below, the action it runs."""

    label: str
    help: str
    action: str


def commands(keys: Sequence[Key]) -> Iterator[Command]:
    """All that the `keys` do; moves of a cursor are left to their keys."""
    shown = [key for key in keys if key.shown]
    for key in shown:
        if key.action.startswith("view("):
            yield Command(f"View: {key.label}", f"key: {key.shown}", key.action)
    for sort in ENGINE_SORTS:
        yield Command(f"Sort engines by {sort}", "again: reversed", f"sort_by('engines', {sort!r})")
    for sort in GPU_SORTS:
        yield Command(f"Sort GPUs by {sort}", "again: reversed", f"sort_by('gpus', {sort!r})")
    for sort in PROCESS_SORTS:
        action = f"sort_by('processes', {sort!r})"
        yield Command(f"Sort processes by {sort}", "again: reversed", action)
    for sort in BUDGET_SORTS:
        yield Command(f"Sort budgets by {sort}", "again: reversed", f"sort_by('budgets', {sort!r})")
    yield Command("Reverse the order", "key: R", "reverse")
    for name in THEMES:
        yield Command(f"Theme: {name}", "key: t, the next one", f"pick_theme({name!r})")
    done = {"quit"}
    for key in shown:
        if key.action not in done and not key.action.startswith(("view(", *_KEYS_ONLY)):
            done.add(key.action)
            yield Command(key.label, f"key: {key.shown}", key.action)
    yield Command("Quit", "key: q", "quit")
