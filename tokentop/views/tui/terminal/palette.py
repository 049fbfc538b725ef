"""Textual's command palette without a crash of its own."""

from contextlib import suppress

from textual.command import CommandPalette


class SteadyPalette(CommandPalette):
    """Ignores a page key where the list has no room: Textual's raises KeyError then.

    Its list keeps a width to wrap words at: in a terminal of six cells Textual divides by none.
    """

    DEFAULT_CSS = "SteadyPalette CommandList { min-width: 16; }"

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError):
            super()._action_command_list(action)
