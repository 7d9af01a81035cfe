"""Compute the reference tables and the samples that pinnkit ships: `python scripts/make_references.py`."""

import sys

from pinnkit.cli.entry import run
from pinnkit.cli.references import make_references
from pinnkit.runs import shipped

if __name__ == "__main__":
    sys.exit(run(lambda: make_references(sys.argv[1:], shipped.conf() / "pde" / "tables")))
