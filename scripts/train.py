"""Train: `python scripts/train.py pde=heat network.width=40`; the same as `pinnkit train`."""

import sys

from pinnkit.cli import entry, main

if __name__ == "__main__":
    sys.exit(entry.run(lambda: main.pinnkit(["train", *sys.argv[1:]])))
