"""Search settings for the least error: the same as `pinnkit sweep`."""

import sys

from pinnkit.cli import entry, main

if __name__ == "__main__":
    sys.exit(entry.run(lambda: main.pinnkit(["sweep", *sys.argv[1:]])))
