"""`python -m tokentop`."""

import sys

from tokentop.cli import main

if __name__ == "__main__":
    sys.exit(main())
