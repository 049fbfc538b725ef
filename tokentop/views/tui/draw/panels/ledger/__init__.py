"""The ledger on the screen: budgets with their clocks, one project, the entries, one entry."""
