"""Print a problem as understood and run every check: the same as `pinnkit check`."""

import sys

from pinnkit.cli import entry, main

if __name__ == "__main__":
    sys.exit(entry.run(lambda: main.pinnkit(["check", *sys.argv[1:]])))
