"""Inference engines: one adapter a file, each a pure conversation (see conversation.py)."""
