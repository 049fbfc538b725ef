"""The actions of the GPU page's processes: sorting, selecting, ending one."""

from functools import partial

from tokentop.views.tui import navigation, theme
from tokentop.views.tui.list_actions import ListActions


class ProcessActions(ListActions):
    """What `o`, `x` and clicks on processes do; the app has the rest."""

    _theme_name: str
    _ended: set[tuple[int, int | None]]  # have had SIGTERM: (pid, start)

    def action_sort_processes(self) -> None:
        self._sorted(navigation.resorted(self.view, "processes"))

    def action_reverse_processes(self) -> None:
        self._sorted(navigation.reversed_order(self.view, "processes"))

    def action_select_process(self, place: int) -> None:
        found = navigation.processes(self.model())
        self._change_view(self.view._replace(process=found[place].key))

    async def action_end_process(self) -> None:
        """Ask, naming it, whether to end the process under the cursor of the GPU page."""
        from tokentop.views.tui.screens.confirm import ConfirmScreen
        from tokentop.views.tui.screens.end_process import box_of
        from tokentop.views.tui.screens.overlay import open_overlay

        model = self.model()
        row = navigation.selected_process(model)
        if row is None or row.process is None:
            self._notify("x ends the process under the cursor of the GPU page (2)")
            return
        pid, started = row.process.pid, row.detail.started
        if (refusal := self.session.why_not_end(row.gpu, pid, started)) is not None:
            self._notify(refusal)
            return
        force = (pid, started) in self._ended
        confirmed = partial(self._end_process, pid, started, force=force)
        styles = theme.style_table(self._theme_name)
        box = box_of(model, row, force=force)
        await open_overlay(self, ConfirmScreen(box, {"y": confirmed}, styles))

    def _end_process(self, pid: int, started: int | None, *, force: bool) -> None:
        refusal = self.session.end_process(pid, started, force=force)
        if refusal is not None:
            self._notify(refusal)
            return
        self._ended.add((pid, started))
        again = "" if force else "; if it stays, x again sends SIGKILL"
        self._notify(f"Sent {'SIGKILL' if force else 'SIGTERM'} to {pid}{again}")
        self.session.refresh()
