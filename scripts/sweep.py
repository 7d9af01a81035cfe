"""Search settings: `python scripts/sweep.py sweep.folder=sweeps/heat pde=heat 'network.width=range(10,41)'`."""

import sys
from pathlib import Path

from pinnkit.cli.entry import run
from pinnkit.cli.optimise import optimise

if __name__ == "__main__":
    scripts = Path(__file__).resolve().parent
    sys.exit(run(lambda: optimise(sys.argv[1:], scripts.parent / "conf", scripts / "train.py")))
