"""Read a run folder back: `python scripts/evaluate.py run=DIR grid=401 export=csv`; see the README."""

import sys

from pinnkit.cli.entry import run
from pinnkit.cli.evaluate import evaluate

if __name__ == "__main__":
    sys.exit(run(lambda: evaluate(sys.argv[1:])))
