"""Business value, token velocity, and credits that move between projects."""
