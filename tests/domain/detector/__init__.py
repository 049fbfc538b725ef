"""Flags of tasks and of projects together."""
