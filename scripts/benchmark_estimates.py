"""Estimated beside true errors, and polishing: `python scripts/benchmark_estimates.py --help`."""

import sys
from pathlib import Path

from benchmark.estimates import benchmark
from pinnkit.cli.entry import run

if __name__ == "__main__":
    sys.exit(run(lambda: benchmark(sys.argv[1:], Path(__file__).resolve().parent)))
