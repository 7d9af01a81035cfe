"""Measure a trained network again: the same as `pinnkit evaluate`."""

import sys

from pinnkit.cli import entry, main

if __name__ == "__main__":
    sys.exit(entry.run(lambda: main.pinnkit(["evaluate", *sys.argv[1:]])))
