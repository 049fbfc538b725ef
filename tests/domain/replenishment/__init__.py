"""Value, velocity, and credits that move."""
