"""One GET's rules, and the two clients that follow them."""
