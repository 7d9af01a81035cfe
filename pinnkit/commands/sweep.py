"""The table of a sweep."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

log = logging.getLogger("pinnkit")


class Summary(Callback):
    """Writes summary.csv into the sweep's folder when all of its runs have ended."""

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        from pinnkit.reporting.summary import summarise  # matplotlib and NumPy wait until they are needed

        print(f"summary of the sweep: {summarise(Path(config.hydra.sweep.dir))}")
