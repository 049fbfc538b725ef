"""Usage records of gateways and of files: rows as they came -> usage events, pure."""
