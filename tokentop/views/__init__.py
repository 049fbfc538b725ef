"""What a snapshot looks like: one line, JSON, doctor's words, or the full screen."""
