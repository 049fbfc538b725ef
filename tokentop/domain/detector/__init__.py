"""Tasks that cost a multiple of their kind, and projects that exceed a limit together."""
