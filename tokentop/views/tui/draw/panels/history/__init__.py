"""The history: the dashboard's area, and the charts of the history view."""
