"""Error against training time, by problem, optimizer and seed: `python scripts/benchmark_accuracy.py --help`."""

import sys
from pathlib import Path

from benchmark.accuracy import benchmark
from pinnkit.cli.entry import run

if __name__ == "__main__":
    sys.exit(run(lambda: benchmark(sys.argv[1:], Path(__file__).resolve().parent)))
