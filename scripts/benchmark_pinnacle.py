"""pinnkit on the problems of the PINNacle benchmark: `python scripts/benchmark_pinnacle.py --help`."""

import sys
from pathlib import Path

from benchmark.pinnacle import benchmark
from pinnkit.cli.entry import run

if __name__ == "__main__":
    sys.exit(run(lambda: benchmark(sys.argv[1:], Path(__file__).resolve().parent)))
