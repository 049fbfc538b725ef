"""The ledger on disk: an append-only SQLite file, and the keys that sign its checkpoints."""
