"""Compute the reference tables and the samples that pinnkit ships: `python scripts/make_references.py`."""

import sys
from pathlib import Path

from pinnkit.cli.entry import run
from pinnkit.cli.references import make_references

if __name__ == "__main__":
    sys.exit(
        run(lambda: make_references(sys.argv[1:], Path(__file__).resolve().parents[1] / "conf" / "pde" / "tables"))
    )
