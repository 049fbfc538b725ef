"""Who drives the collector: once with a deadline, or on and on beside a screen."""
