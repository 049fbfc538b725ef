"""Inference engines as values: readings, rates, latencies, rows and sums."""
