"""Inference engines: one a file, each an adapter without I/O (protocol.py) and its SPEC."""
