"""Time of a training step, by engine and beside other frameworks: `python scripts/benchmark_step.py --help`."""

import sys

from benchmark.step_comparison import benchmark
from pinnkit.cli.entry import run

if __name__ == "__main__":
    sys.exit(run(lambda: benchmark(sys.argv[1:])))
