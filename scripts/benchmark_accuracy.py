"""Error and time of every shipped problem with its defaults: `python scripts/benchmark_accuracy.py [heat burgers]`."""

import sys
from pathlib import Path

from pinnkit.commands.accuracy import benchmark

if __name__ == "__main__":
    sys.exit(benchmark(sys.argv[1:], Path(__file__).resolve().parent))
