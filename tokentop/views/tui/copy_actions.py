"""The actions that take the screen elsewhere: to the clipboard, into a picture."""

from time import strftime

from tokentop.views.tui.host_actions import HostActions
from tokentop.views.tui.screen_model import lines
from tokentop.views.tui.widgets.selection import plain_text, title


class CopyActions(HostActions):
    """What the keys for copying and screenshots do; the app has the rest."""

    def action_copy(self) -> None:
        """Copy what is selected; else the panel under the mouse, or the view's main one."""
        text, name = self.screen.get_selected_text(), "the selection"
        if not text:
            place = self.monitor.copyable(self.mouse_over)
            drawn = lines(self.model(), place)
            text, name = plain_text(drawn), title(drawn) or place.panel
        self.copy_to_clipboard(text)
        count = text.count("\n") + 1
        self._notify(f"Copied {name}: {count} line{'s' if count > 1 else ''}")

    def action_screenshot_here(self) -> None:
        if self.is_web:
            self._notify("The browser saves what it shows; here it would go to the server's disk")
            return
        from tokentop.views.tui.svg import save_here

        name = strftime("tokentop-%Y%m%d-%H%M%S.svg", self.session.local_time())
        self._notify(save_here(name, self.picture()))

    def picture(self) -> str:
        """What the screen shows now, as SVG."""
        from tokentop.views.tui.svg import portable

        return portable(self.export_screenshot(title="tokentop"))
