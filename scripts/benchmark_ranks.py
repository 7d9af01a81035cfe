"""Time steps on one process and on several, and the share of communication; see scripts/benchmark/processes.py."""

import sys
from pathlib import Path

from benchmark.processes import benchmark
from pinnkit.cli.entry import run

if __name__ == "__main__":
    sys.exit(run(lambda: benchmark(sys.argv[1:], Path(__file__).resolve().parents[1])))
