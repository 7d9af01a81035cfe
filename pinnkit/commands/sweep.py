"""The table of a sweep."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig


class Summary(Callback):
    """Writes summary.csv into the sweep's folder when all of its runs have ended."""

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        from pinnkit.reporting.artifacts import RunFolderError
        from pinnkit.reporting.summary import summarise  # matplotlib and NumPy wait until they are needed

        try:
            print(f"summary of the sweep: {summarise(Path(config.hydra.sweep.dir))}")
        except RunFolderError as error:  # no run of the sweep came as far as its metrics
            print(f"pinnkit: {error}", file=sys.stderr)
