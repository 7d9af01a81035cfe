"""Errors after a minute and times of a step beside other frameworks: `python scripts/benchmark_peers.py --help`."""

import sys
from pathlib import Path

from benchmark.peers_comparison import benchmark
from pinnkit.cli.entry import run

if __name__ == "__main__":
    sys.exit(run(lambda: benchmark(sys.argv[1:], Path(__file__).resolve().parent)))
