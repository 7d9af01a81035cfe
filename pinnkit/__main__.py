"""`python -m pinnkit`: the command `pinnkit`."""

import sys

from pinnkit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
