"""Verdicts on runs that are no solutions and on the shipped problems: `python scripts/benchmark_verdicts.py --help`."""

import sys
from pathlib import Path

from benchmark.verdicts import benchmark
from pinnkit.cli.entry import run

if __name__ == "__main__":
    sys.exit(run(lambda: benchmark(sys.argv[1:], Path(__file__).resolve().parent)))
