"""Endless polling on asyncio, one task per source."""
