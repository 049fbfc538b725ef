"""The economy in plain values: no I/O, no clock, no asyncio, no Rich, no Textual."""
