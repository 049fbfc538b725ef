"""What drives the ledger from the command line: files in, checks over all entries."""
