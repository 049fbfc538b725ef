"""One panel a file; each is a function of frozen slices of a snapshot."""
