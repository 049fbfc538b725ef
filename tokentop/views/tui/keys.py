"""The keys as one table: bindings, help and the command palette are made from it."""

from typing import NamedTuple


class Key(NamedTuple):
    """`keys` are Textual's names, comma separated; `shown` is how help writes them, "" hides it."""

    keys: str
    action: str
    shown: str
    label: str
    group: str
    priority: bool = False


KEYS: tuple[Key, ...] = (
    Key("1", "view('dashboard')", "1", "Dashboard", "Views"),
    Key("2", "view('gpus')", "2", "GPUs with their processes", "Views"),
    Key("3,h", "view('history')", "3 h", "History of the last hour", "Views"),
    Key("4,e", "view('engines')", "4 e", "Engines, one row each", "Views"),
    Key("dollar_sign,u", "view('costs')", "$ u", "How the costs were computed", "Views"),
    Key("w", "view('why')", "w", "Why the banner says so", "Views"),
    Key("v", "view('events')", "v", "Events: what has changed", "Views"),
    Key("b", "view('budgets')", "b", "Budgets and their clocks", "Views"),
    Key("l", "view('ledger')", "l", "Ledger: who spent what", "Views"),
    Key("tab", "next_view(1)", "tab", "Next view", "Views"),
    Key("shift+tab", "next_view(-1)", "", "Previous view", "Views"),
    Key("left", "point(-1)", "", "Cursor to the left", "Views"),
    Key("right", "point(1)", "", "Cursor to the right", "Views"),
    Key("right_square_bracket", "zoom(1)", "[ ] < >", "Zoom, pan; ← → points", "Views"),
    Key("left_square_bracket", "zoom(-1)", "", "A shorter stretch of history", "Views"),
    Key("less_than_sign,comma", "pan(-1)", "", "An earlier stretch of history", "Views"),
    Key("greater_than_sign,full_stop", "pan(1)", "", "A later stretch of history", "Views"),
    Key("c", "compact", "c", "Compact strip and back", "Views"),
    Key("p,space", "pause", "p space", "Pause; polling goes on", "Polling"),
    Key("plus,equals_sign", "interval(1)", "+", "Poll less often", "Polling"),
    Key("minus,underscore", "interval(-1)", "-", "Poll more often", "Polling"),
    Key("r", "refresh_now", "r", "Refresh now", "Polling"),
    Key("s", "sort", "s", "Next sort; R reverses", "Lists"),
    Key("R", "reverse", "", "Reverse the order", "Lists"),
    Key("slash", "filter", "/", "Filter; esc clears", "Lists"),
    Key("enter", "open", "enter", "The row in full; why", "Lists"),
    Key("d", "dismiss", "d", "Forget a gone engine", "Lists"),
    Key("o", "sort_processes", "o", "Sort processes; O reverses", "Actions"),
    Key("O", "reverse_processes", "", "Reverse the processes", "Actions"),
    Key("x", "end", "x", "End process; stop project", "Actions"),
    Key("f", "classify", "f", "Classify a project's flag", "Actions"),
    Key("z", "silence", "z", "Silence what fires, 1 h", "Actions"),
    Key("escape", "step_back", "esc", "Back; clear the filter", "Lists"),
    Key("down,j", "scroll_rows(1)", "↓ ↑ j k", "A row down, up", "Lists"),
    Key("up,k", "scroll_rows(-1)", "", "A row up", "Lists"),
    Key("pagedown", "scroll_pages(1)", "pg ↓ ↑", "A page down, up", "Lists"),
    Key("pageup", "scroll_pages(-1)", "", "A page up", "Lists"),
    Key("home,g", "scroll_to(0)", "g G", "To the first row, the last", "Lists"),
    Key("end,G", "scroll_to(1)", "", "To the last row", "Lists"),
    Key("y", "copy", "y", "Copy selection, else panel", "Lists"),
    Key("t", "next_theme", "t", "Next theme", "Program"),
    Key("S", "screenshot_here", "S", "Save an SVG screenshot here", "Program"),
    Key("ctrl+p", "command_palette", "^p", "Command palette", "Program"),
    Key("ctrl+l", "repaint", "^l", "Paint everything again", "Program", priority=True),
    Key("question_mark,f1", "help", "?", "This help; again: glossary", "Program"),
    Key("ctrl+z", "suspend_process", "^z", "Suspend to the shell", "Program"),
    Key("q", "quit", "q ^c", "Quit", "Program"),
    Key("ctrl+c,ctrl+q", "quit", "", "Quit", "Program", priority=True),
)

# In a replay instead of the group "Polling".
REPLAY_KEYS: tuple[Key, ...] = (
    Key("p,space", "pause", "p space", "Pause, and play on", "Playing"),
    Key("full_stop", "step(1)", ".", "A snapshot on", "Playing"),
    Key("comma", "step(-1)", ",", "A snapshot back", "Playing"),
    Key("right_parenthesis", "skip(60)", ")", "A minute on", "Playing"),
    Key("left_parenthesis", "skip(-60)", "(", "A minute back", "Playing"),
    Key("plus,equals_sign", "interval(1)", "+", "Faster", "Playing"),
    Key("minus,underscore", "interval(-1)", "-", "Slower", "Playing"),
    Key("colon", "jump", ":", "Go to a time", "Playing"),
)


def replay_table() -> tuple[Key, ...]:
    """The keys of a replay: nothing is polled, ended or forgotten there."""
    kept = (key for key in KEYS if key.group not in ("Polling", "Actions") and key.keys != "d")
    return (*kept, *REPLAY_KEYS)
