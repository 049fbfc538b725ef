"""The ledger on a real disk."""
