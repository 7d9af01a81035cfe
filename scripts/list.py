"""List the shipped problems: the same as `pinnkit list`."""

import sys

from pinnkit.cli import entry, main

if __name__ == "__main__":
    sys.exit(entry.run(lambda: main.pinnkit(["list", *sys.argv[1:]])))
