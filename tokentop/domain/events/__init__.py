"""What changed from one snapshot to the next, and the log of it."""
