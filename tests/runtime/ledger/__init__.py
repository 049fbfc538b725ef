"""What drives the ledger."""
