"""The table of a sweep."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

CODES = {"finished": 0, "interrupted": 130, "diverged": 3, "failed": 2}
"""Exit code by the status of a run; of one that left none, 1."""


class Summary(Callback):
    """Writes summary.csv into the sweep's folder when all of its runs have ended.

    Attributes:
        code: the worst of the runs' exit codes in this process's last sweep, by what they have left: a launcher may
            run them in processes, or on machines, that can say nothing else.
    """

    code = 0

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        from pinnkit.reporting.artifacts import RunFolderError
        from pinnkit.reporting.summary import summarise  # matplotlib and NumPy wait until they are needed

        try:
            path = summarise(Path(config.hydra.sweep.dir))
        except RunFolderError as error:  # no run of the sweep came as far as its metrics
            print(f"pinnkit: {error}", file=sys.stderr)
            Summary.code = 1
            return
        with path.open(encoding="utf-8", newline="") as file:
            Summary.code = max(CODES.get(row["status"], 1) for row in csv.DictReader(file))
        print(f"summary of the sweep: {path}")
