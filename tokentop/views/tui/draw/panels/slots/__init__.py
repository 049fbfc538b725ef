"""The LLM slots: one bar, and its sections per engine."""
