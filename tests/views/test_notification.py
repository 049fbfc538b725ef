"""What a terminal is sent for an alert."""

from tokentop.domain.verdict.values import Alert
from tokentop.views.notification import sequences

ALERT = Alert("busy", "firing", "92 %; \x1b]0;evil\x07 full")


def test_each_action_by_itself() -> None:
    assert sequences((), ALERT, {}) == ""
    assert sequences(("bell", "webhook"), ALERT, {}) == "\x07"


def test_the_two_forms_and_tmux() -> None:
    """Remote text ends neither the sequence nor its title."""
    title = "tokentop: busy is firing"
    plain = sequences(("notify",), ALERT, {"TERM": "foot"})
    assert plain.startswith(f"\x1b]777;notify;{title};92 %, ")
    assert (plain.count("\x1b"), plain.count("\x07"), plain.count(";")) == (1, 1, 3)
    wezterm = sequences(("notify",), ALERT, {"TERM_PROGRAM": "WezTerm"})
    assert wezterm.startswith(f"\x1b]9;{title}: 92 %")
    wrapped = sequences(("notify",), ALERT, {"TMUX": "/tmp/x,1,0"})
    assert wrapped == "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"
