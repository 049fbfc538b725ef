"""`tokentop ledger`: usage booked, reported and proved, in text."""
