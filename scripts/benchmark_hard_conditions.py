"""Compare hard conditions with soft ones; see scripts/benchmark/hard_conditions.py."""

import sys
from pathlib import Path

from benchmark.hard_conditions import benchmark
from pinnkit.cli.entry import run

if __name__ == "__main__":
    sys.exit(run(lambda: benchmark(sys.argv[1:], Path(__file__).resolve().parents[1])))
