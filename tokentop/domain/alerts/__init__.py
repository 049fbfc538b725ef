"""Rules over the snapshot: what is pending, firing or resolved."""
