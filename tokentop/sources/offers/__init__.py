"""What clouds that rent GPUs offer, and what the user rents there; GET only, parsers pure."""
