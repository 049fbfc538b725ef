"""The screens: the monitor, and help and the command palette over it."""
