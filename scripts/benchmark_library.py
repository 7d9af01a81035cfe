"""Errors of the shipped problems by their defaults: `python scripts/benchmark_library.py --help`."""

import sys
from pathlib import Path

from benchmark.library import benchmark
from pinnkit.cli.entry import run

if __name__ == "__main__":
    sys.exit(run(lambda: benchmark(sys.argv[1:], Path(__file__).resolve().parent)))
