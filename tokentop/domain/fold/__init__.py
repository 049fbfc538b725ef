"""Readings + the time -> one Snapshot; the one definition of every sum."""
