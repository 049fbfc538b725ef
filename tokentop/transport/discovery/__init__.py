"""Engines on this host, found by their processes, their ports, and what answers there."""
