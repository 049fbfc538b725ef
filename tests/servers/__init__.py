"""Real loopback servers in threads: well-behaved, and misbehaving in every way tokentop bears."""
