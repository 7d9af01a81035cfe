"""Runs side by side: `python scripts/compare.py outputs/heat sweeps/heat/trials/0007`; see the README."""

import sys

from pinnkit.cli.compare import compare
from pinnkit.cli.entry import run

if __name__ == "__main__":
    sys.exit(run(lambda: compare(sys.argv[1:])))
