"""Budgets as values: periods, sums, burn, who may go on."""
