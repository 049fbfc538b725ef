"""The ledger as values: bytes, chain, tree, notes."""
