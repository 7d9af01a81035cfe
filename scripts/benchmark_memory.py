"""Measure the memory of a long run; see scripts/benchmark/memory.py."""

import sys
from pathlib import Path

from benchmark.memory import benchmark
from pinnkit.cli.entry import run

if __name__ == "__main__":
    sys.exit(run(lambda: benchmark(sys.argv[1:], Path(__file__).resolve().parents[1])))
