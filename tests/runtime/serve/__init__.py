"""`tokentop serve` over real sockets."""
