"""A modal screen that opens in one step.

Textual renders one twice, the first time for nothing, and waits a sixtieth of a second in between.
"""

from textual.screen import ModalScreen


class BoxScreen(ModalScreen[None], inherit_bindings=False):
    """Open it within `App.batch_update`, then call `draw_now`."""

    def draw_now(self) -> None:
        """Draw what has changed, and not with the next picture."""
        self._on_timer_update()

    def _compositor_refresh(self) -> None:
        if not self.app._batch_count:  # else nothing of it would be displayed
            super()._compositor_refresh()
