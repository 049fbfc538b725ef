"""A simulated stack that answers the same requests as the real one."""
