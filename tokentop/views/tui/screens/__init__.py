"""The screens: the monitor itself, and help on top of it."""
