"""Endless polling on asyncio, one worker per source."""
