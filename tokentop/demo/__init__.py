"""A simulated machine, or fleet, that answers the same requests as a real one."""
