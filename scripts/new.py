"""Write a commented problem file to start from: the same as `pinnkit new`."""

import sys

from pinnkit.cli import entry, main

if __name__ == "__main__":
    sys.exit(entry.run(lambda: main.pinnkit(["new", *sys.argv[1:]])))
