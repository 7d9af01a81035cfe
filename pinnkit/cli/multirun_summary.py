"""The table of a Hydra sweep."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

EXIT_CODE = "exit_code"
"""The file in the folder of a sweep's run that holds its exit code."""
SHOWN = 20
"""Rows on the screen, the best first; the file has all."""


class Summary(Callback):
    """Writes summary.csv into the sweep's folder when its runs have ended.

    Attributes:
        code: the worst exit code of the runs in this process's last sweep, by what they have left: a launcher may run
            them in processes, or on machines, that can say nothing else. 1 for a run that left none.
    """

    code = 0

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        self.write(Path(config.hydra.sweep.dir))

    @staticmethod
    def write(sweep: Path) -> None:
        """The table of the runs that have ended, or have been interrupted, so far."""
        from pinnkit.reporting.artifacts import RunFolderError
        from pinnkit.reporting.compare import compare
        from pinnkit.reporting.summary import run_folders, summarise  # matplotlib and NumPy wait until they are needed

        ends = [sweep / folder / EXIT_CODE for folder in run_folders(sweep)]
        Summary.code = max((int(end.read_text()) if end.is_file() else 1 for end in ends), default=1)
        try:
            summary = summarise(sweep)
            print(f"{compare([sweep]).as_text(most=SHOWN)}\nsummary of the sweep: {summary}")
        except RunFolderError as error:  # no run of the sweep came as far as its metrics
            print(f"pinnkit: {error}", file=sys.stderr)
