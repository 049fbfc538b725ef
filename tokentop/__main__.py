"""`python -m tokentop`."""

from tokentop.cli import entry

if __name__ == "__main__":
    entry()
