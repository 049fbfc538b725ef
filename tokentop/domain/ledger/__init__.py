"""The consumption ledger as plain values: events, entries, their hash chain, proofs, sums."""
