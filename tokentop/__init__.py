"""tokentop: the live economy of self-hosted LLM inference, in a terminal."""

__version__ = "0.1.0"
