"""Usage records as gateways and files have them."""
