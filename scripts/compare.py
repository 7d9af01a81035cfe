"""Runs side by side: the same as `pinnkit compare`."""

import sys

from pinnkit.cli import entry, main

if __name__ == "__main__":
    sys.exit(entry.run(lambda: main.pinnkit(["compare", *sys.argv[1:]])))
