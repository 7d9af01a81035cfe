"""Train: `python scripts/train.py pde=heat network.width=40`; see the README."""

import sys
from pathlib import Path

from pinnkit.cli.entry import run
from pinnkit.cli.train import train

if __name__ == "__main__":
    sys.exit(run(lambda: train(sys.argv[1:], Path(__file__).resolve().parents[1] / "conf")))
