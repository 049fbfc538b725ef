"""The full screen: sources -> poller -> snapshot -> screen model -> panels."""

import asyncio
import os
from collections.abc import Iterable, Sequence
from functools import partial
from time import strftime

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.theme import Theme

from tokentop.config.reload import Reloader
from tokentop.config.schema import Config, secrets
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.verdict.values import Event
from tokentop.light_typing import ClassVar
from tokentop.runtime.live.choose import AnySession, session_of
from tokentop.runtime.live.poller import stepped
from tokentop.transport import user_state
from tokentop.views.tui import choices, keys, theme
from tokentop.views.tui.draw.panels.footer import announcement
from tokentop.views.tui.input_actions import InputActions
from tokentop.views.tui.screen_model import ScreenModel
from tokentop.views.tui.screens.monitor import MonitorScreen
from tokentop.views.tui.state import Name, ViewState
from tokentop.views.tui.terminal.app import TerminalApp
from tokentop.views.tui.terminal.color_depth import depth_of
from tokentop.views.tui.terminal.gc_tuning import begin_collecting, freeze_loaded_objects
from tokentop.views.tui.terminal.restore_terminal import Terminal
from tokentop.views.tui.terminal.seconds import Seconds

NOTICE_S = 4.0
POLLED_ELSEWHERE = "The host polls, at an interval of its own; this is what it sends"


class TokentopApp(InputActions, TerminalApp):
    """The monitor: everything on the screen is a function of (snapshot, view, time)."""

    CSS_PATH = "theme.tcss"
    TITLE = "tokentop"
    CLICK_CHAIN_TIME_THRESHOLD = -1.0  # every click acts: a second one does not select the panel
    key_table: ClassVar[Sequence[keys.Key]] = keys.KEYS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, key.action, key.label, priority=key.priority) for key in keys.KEYS
    ]

    def __init__(
        self,
        config: Config,
        terminal: Terminal | None = None,
        reloader: Reloader | None = None,
        *,
        saves: bool = False,
        plain: bool = False,
    ) -> None:
        """`plain`: only ASCII can be shown, whatever is configured."""
        depth = depth_of(os.environ)
        kept = choices.restored(user_state.load() if saves else {}, config)
        self._theme_wanted = kept.theme  # remembered also where the terminal has too few colours
        self._theme_name = theme.chosen(kept.theme, depth)
        # Textual would read its style sheets once more for a theme that is set later.
        self.set_reactive(App.theme, theme.PREFIX + self._theme_name)
        super().__init__(terminal, secrets(config), depth)
        for one in theme.textual_themes().values():
            self.register_theme(one)
        self._reloader = reloader
        self._saves = saves
        self._only_ascii = plain
        self.session = self.make_session(config)
        self._interval_wanted = kept.interval_s
        if self.session.polls:
            self.session.set_interval(kept.interval_s)
        self.view = choices.applied(kept, ViewState())
        self._begin_with_hosts()
        self._ended = set()
        self._newest: tuple[Snapshot, float] | None = None  # with its monotonic time, not shown yet
        self._seconds: Seconds | None = None
        self._take_snapshot()

    def get_theme(self, theme_name: str) -> Theme | None:
        """Textual's constructor asks for ours, before they can be registered."""
        return theme.textual_themes().get(theme_name) or super().get_theme(theme_name)

    def make_session(self, config: Config) -> AnySession:
        """What the screen shows, and what tells it of new snapshots."""
        return session_of(config, self.snapshot_ready)

    def snapshot_ready(self, snapshot: Snapshot, at: float) -> None:
        """Show a new snapshot soon; `at` is its monotonic time. Called on the loop.

        A message of Textual's would cost as much as what is drawn where little has changed.
        """
        if self._newest is None:
            asyncio.get_running_loop().call_soon(self._show_newest)
        self._newest = snapshot, at

    # -- starting and drawing

    def get_default_screen(self) -> Screen[None]:
        return MonitorScreen(self.model(), theme.style_table(self._theme_name))

    @property
    def plain(self) -> bool:
        return self._only_ascii or self.session.config.ui.ascii

    def on_mount(self) -> None:
        super().on_mount()
        self.call_after_refresh(self._start)

    async def _start(self) -> None:
        """After the first paint: start polling, as workers, and the once-a-second tick."""
        if self.terminal is not None:  # under a test's pilot the process outlives the app
            begin_collecting()
        await self.session.start(self.run_worker, self._reloader, self._notify, self._announce)
        if self.terminal is not None:
            await self.session.keep_history()
            self.session.act_on_alerts(self._ring)
            freeze_loaded_objects()
        if not self.session.frozen:
            self._seconds = Seconds(self.session.wall, partial(self.drawn, self._tick))
            self._seconds.begin()

    @property
    def monitor(self) -> MonitorScreen:
        """The screen at the bottom of the stack."""
        screen = self.screen_stack[0]
        assert isinstance(screen, MonitorScreen)
        return screen

    def _show_newest(self) -> None:
        newest, self._newest = self._newest, None
        if newest is None or self.view.paused_at is not None or not self.screen_stack:
            return  # without a screen it ends
        self._snapshot, self._snapshot_at = newest
        self.drawn(self._show_second)

    def _take_snapshot(self) -> None:
        self._snapshot, self._snapshot_at = self.session.snapshot(), self.session.now()

    def model(self) -> ScreenModel:
        now = self.session.now() if self.view.paused_at is None else self.view.paused_at
        return ScreenModel(
            snapshot=self._snapshot,
            view=self.view,
            samples=partial(self.session.samples, now),
            now=now,
            elapsed_s=max(0.0, self.session.now() - self._snapshot_at),
            clock=strftime("%H:%M:%S", self.session.local_time()),
            interval_s=self.session.interval_s,
            ui=self.session.config.ui._replace(ascii=self.plain),
            insecure_tls=not self.session.config.tls.verify,
            records=self.session.records,
            trends=partial(self.session.engine_history.trends, until=now),
            burn_at=self.session.config.policy.cost.silent_burn_at,
            discovery=self.session.config.discovery,
            searched=self.session.searched,
            events=self._events(),
            fleet=self._fleet.rows() if self._fleet and self.view.name == "hosts" else (),
            past=self._past,
            page=self._page,
            wall_ahead_s=self.session.wall() - self.session.now(),
            local=self.session.local,
        )

    def _events(self) -> tuple[tuple[str, Event], ...]:
        """What the events' view lists; paused, up to the picture that stands still."""
        if self.view.name != "events":
            return ()
        return self.session.events(None if self.view.paused_at is None else self._snapshot.at)

    def _show(self) -> None:
        self._read_ledger()
        self.monitor.show(self.model(), theme.style_table(self._theme_name))

    def _show_second(self) -> None:
        """What a tick would draw, and all the rest."""
        self._refresh_past()
        self._show()
        if self._seconds is not None:
            self._seconds.begin()

    def _tick(self) -> None:
        if self.is_running and self.screen_stack:
            self._refresh_past()
            self.monitor.tick(self.model())

    def _change_view(self, view: ViewState) -> None:
        if view._replace(notice=self.view.notice) != self.view:
            self.monitor.clear_selection()  # other text stands there now
        if view != self.view:
            self.view = view
            self.session.show_gpu_page(view.name == "gpus")
            self._show()

    def _remember(self) -> None:
        if self._saves:
            self.run_worker(choices.keep(self._choices), name="save the choices")

    def _choices(self) -> choices.Choices:
        return choices.chosen(self._theme_wanted, self._interval_wanted, self.view)

    def _notify(self, notice: str) -> None:
        """Show one sentence in the footer for NOTICE_S."""
        self._change_view(self.view._replace(notice=notice))
        self.set_timer(NOTICE_S, lambda: self._clear_notice(notice))

    def _announce(self, events: Sequence[Event]) -> None:
        self._notify(announcement(events))

    def _clear_notice(self, notice: str) -> None:
        if self.view.notice == notice:
            self._change_view(self.view._replace(notice=""))

    def leave(self, code: int, message: str = "") -> None:
        self.session.stop()
        super().leave(code, message)

    # -- keys

    def action_view(self, name: Name) -> None:
        if not self._in_hosts():
            self._change_view(self.view.named(name))

    def action_next_view(self, step: int) -> None:
        if not self._in_hosts():
            self._change_view(self.view.next(step))

    def action_compact(self) -> None:
        if self._in_hosts():
            return
        self._change_view(self.view._replace(name="dashboard", compact=not self.view.compact))

    def action_pause(self) -> None:
        if self.view.paused_at is None:
            self._change_view(self.view._replace(paused_at=self.session.now()))
            return
        self._take_snapshot()
        self._change_view(self.view._replace(paused_at=None))

    def action_interval(self, step: int) -> None:
        if not self.session.polls:
            self._notify(POLLED_ELSEWHERE)
            return
        interval_s = stepped(self.session.interval_s, step)
        self.session.set_interval(interval_s)
        self._interval_wanted = interval_s
        self._remember()
        self._notify(f"Polling every {interval_s:g} s")

    def action_refresh_now(self) -> None:
        if not self.session.polls:
            self._notify(POLLED_ELSEWHERE)
            return
        self.session.refresh()
        self._notify("Polling every source now")

    def action_next_theme(self) -> None:
        free = self.depth not in theme.FIXED
        self.action_pick_theme(theme.next_theme(self._theme_name) if free else "")

    def action_pick_theme(self, name: str) -> None:
        if fixed := theme.FIXED.get(self.depth):
            self._notify(fixed)
            return
        self._theme_name = self._theme_wanted = name
        self.theme = theme.PREFIX + self._theme_name
        self._show()
        self._remember()
        self._notify(f"Theme: {self._theme_name}")

    def action_repaint(self) -> None:
        self.repaint()

    async def action_help(self) -> None:
        from tokentop.views.tui.screens.help import HelpScreen
        from tokentop.views.tui.screens.overlay import open_overlay

        styles = theme.style_table(self._theme_name)
        await open_overlay(self, HelpScreen(styles, self.model().options))

    def action_command_palette(self) -> None:
        from tokentop.views.tui.screens.palette import open_over

        open_over(self)

    def get_system_commands(
        self,
        screen: Screen[object],  # noqa: ARG002
    ) -> Iterable[SystemCommand]:
        """Views, sorts, themes and the keys' actions instead of Textual's own commands."""
        from tokentop.views.tui import commands

        for one in commands.commands(self.key_table):
            yield SystemCommand(one.label, one.help, partial(self.run_action, one.action))
