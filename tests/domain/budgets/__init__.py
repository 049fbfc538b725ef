"""Budgets as values: periods, sums, burn, authorization."""
