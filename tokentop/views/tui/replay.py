"""The full screen where a recording is played: the keys that move through it."""

from contextlib import suppress
from datetime import datetime
from re import fullmatch

from textual import events
from textual.binding import Binding, BindingType

from tokentop.config.schema import Config
from tokentop.light_typing import ClassVar
from tokentop.runtime.live.replay import ReplaySession
from tokentop.transport.recording.reader import Recording
from tokentop.views.tui import keys
from tokentop.views.tui.app import TokentopApp
from tokentop.views.tui.screen_model import ScreenModel
from tokentop.views.tui.terminal.restore_terminal import Terminal

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
FORMATS = ("%H:%M:%S", "%H:%M", "%m-%d %H:%M:%S", "%m-%d %H:%M", "%Y-%m-%d %H:%M:%S",
           "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S")  # fmt: skip
NOT_A_TIME = "That is no time: 12:03, 11-21 12:03:20, 2026-11-21 12:03, +5m and -90s are"
POLLS_NOTHING = "A recording is played: nothing is polled"


def moment(text: str, shown: float) -> float | None:
    """The Unix seconds that a time in words means beside the moment that is shown; None for none.

    `+5m` counts from there, `12:03` is on that day, both in local time.
    """
    text = " ".join(text.split())
    if found := fullmatch(r"([+-]\d+(?:\.\d+)?)([smhd]?)", text):
        return shown + float(found[1]) * UNITS[found[2] or "s"]
    here = datetime.fromtimestamp(shown)  # noqa: DTZ006  # local time, as the clock shows it
    for form in FORMATS:
        with suppress(ValueError):
            at = datetime.strptime(text, form)  # noqa: DTZ007
            year = at.year if "%Y" in form else here.year
            day = (at.month, at.day) if "%d" in form else (here.month, here.day)
            return at.replace(year, *day).timestamp()
    return None


class ReplayApp(TokentopApp):
    """The monitor on a recording."""

    key_table = keys.replay_table()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, key.action, key.label) for key in keys.REPLAY_KEYS
    ]

    def __init__(
        self,
        config: Config,
        recording: Recording,
        terminal: Terminal | None = None,
        *,
        plain: bool = False,
    ) -> None:
        self._recording = recording
        super().__init__(config, terminal, plain=plain)

    def make_session(self, config: Config) -> ReplaySession:
        self._replay = ReplaySession(config, self._recording, self.snapshot_ready)
        return self._replay

    def model(self) -> ScreenModel:
        return super().model()._replace(timeline=self._replay.timeline)

    def _tick(self) -> None:
        if self.screen_stack:
            self._show()  # the timeline moves too

    # -- keys

    def action_pause(self) -> None:
        self._replay.pause()
        self._show()

    def action_step(self, count: int) -> None:
        self._replay.step(count)
        self._show()

    def action_skip(self, seconds: int) -> None:
        self._go(self._replay.now() + seconds)

    def action_interval(self, step: int) -> None:
        self._replay.faster(step)
        self._show()

    def action_go_to(self, fraction: float) -> None:
        self._go(self._replay.timeline.moment(fraction))

    def action_jump(self) -> None:
        self._change_view(self.view._replace(jump=""))

    def action_refresh_now(self) -> None:
        self._notify(POLLS_NOTHING)

    def action_dismiss(self) -> None:
        self._notify(POLLS_NOTHING)

    def _go(self, at: float) -> None:
        self._replay.seek(at)
        self._show()

    # -- typing a time

    def on_key(self, event: events.Key) -> None:
        if self.view.jump is None:
            super().on_key(event)
            return
        event.prevent_default()  # else the figures act as keys
        event.stop()
        if event.key == "enter":
            self._jump(self.view.jump)
        elif event.key == "escape":
            self._change_view(self.view._replace(jump=None))
        elif event.key in ("backspace", "ctrl+h"):
            self._change_view(self.view._replace(jump=self.view.jump[:-1]))
        elif event.character and event.character.isprintable():
            self._change_view(self.view._replace(jump=(self.view.jump + event.character)[:40]))

    def _jump(self, text: str) -> None:
        at = moment(text, self._replay.now())
        self._change_view(self.view._replace(jump=None))
        if at is None:
            self._notify(NOT_A_TIME)
        else:
            self._go(at)
