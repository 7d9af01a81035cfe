"""Print a problem as pinnkit understands it and run every check: `python scripts/check.py pde=NAME`."""

import sys
from pathlib import Path

from pinnkit.cli.check import check
from pinnkit.cli.entry import run

if __name__ == "__main__":
    sys.exit(run(lambda: check(sys.argv[1:], Path(__file__).resolve().parents[1] / "conf")))
