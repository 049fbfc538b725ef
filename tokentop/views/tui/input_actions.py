"""What is typed into a filter, and what the mouse does."""

from textual import events

from tokentop.views.tui.copy_actions import CopyActions


class InputActions(CopyActions):
    """A filter's letters, pasted text, clicks and the wheel; keys act by their table (keys.py)."""

    def on_key(self, event: events.Key) -> None:
        if not self.view.filtering:
            return
        event.prevent_default()  # else the letters act as keys
        event.stop()
        self._change_view(self.view.key_typed(event.key, event.character or ""))

    def on_paste(self, event: events.Paste) -> None:
        if self.view.filtering:
            self._change_view(self.view.typed(event.text))

    def on_mouse_scroll_down(self) -> None:
        self.action_scroll_rows(3)

    def on_mouse_scroll_up(self) -> None:
        self.action_scroll_rows(-3)

    async def on_click(self, event: events.Click) -> None:
        if self.screen is not self.monitor or self.monitor.selections:
            return  # the end of a drag, which has selected text, is a click for Textual
        from tokentop.views.tui import pointer

        action = pointer.click(self.model(), self.monitor.placed, event.screen_x, event.screen_y)
        if action:
            await self.run_action(action)
