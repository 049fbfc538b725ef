"""`tokentop doctor`: what was found, what was not, and what to do about it."""
