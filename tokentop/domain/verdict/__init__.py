"""Health and demand: one verdict that every view shows and none computes for itself."""
