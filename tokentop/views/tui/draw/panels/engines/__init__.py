"""The engines' table, and one engine in full."""
