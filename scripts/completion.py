"""Print a script by which a shell completes commands and settings: the same as `pinnkit completion`."""

import sys

from pinnkit.cli import entry, main

if __name__ == "__main__":
    sys.exit(entry.run(lambda: main.pinnkit(["completion", *sys.argv[1:]])))
