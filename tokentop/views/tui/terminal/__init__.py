"""Everything that reaches below Textual's public surface."""
