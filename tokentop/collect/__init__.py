"""What to ask, what came, and when to ask again; holds no socket, thread or clock."""
