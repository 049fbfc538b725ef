"""`tokentop doctor`: what was found, what not, and what to do, in plain words."""
