"""What makes a terminal ring, or show a desktop notification: OSC 9 or OSC 777."""

from collections.abc import Collection, Mapping

from tokentop.domain.text import clean
from tokentop.domain.verdict.values import Alert

BELL = "\x07"
# These know OSC 9, a text alone; others (foot, urxvt, VTE's) OSC 777, a title and a text.
_OSC_9 = ("iTerm.app", "WezTerm", "ghostty", "kitty", "WarpTerminal", "rio")
_LIMIT = 200


def sequences(actions: Collection[str], alert: Alert, environ: Mapping[str, str]) -> str:
    """What to send to the terminal for an alert with these actions."""
    bell = BELL if "bell" in actions else ""
    return bell + (_notification(alert, environ) if "notify" in actions else "")


def _notification(alert: Alert, environ: Mapping[str, str]) -> str:
    title = _word(f"tokentop: {alert.name} is {alert.state}")
    text = _word(alert.text)
    simple = environ.get("TERM_PROGRAM") in _OSC_9 or "kitty" in environ.get("TERM", "")
    sent = f"\x1b]9;{title}: {text}\x07" if simple else f"\x1b]777;notify;{title};{text}\x07"
    if environ.get("TMUX"):  # tmux hands on what is wrapped, where allow-passthrough is on
        return "\x1bPtmux;" + sent.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return sent


def _word(text: str) -> str:
    """Without control characters, and without what ends a title."""
    return clean(text, _LIMIT).replace(";", ",")
