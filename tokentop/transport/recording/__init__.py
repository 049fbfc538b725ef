"""Recordings of snapshots: files of gzip members, each of them readable alone."""
