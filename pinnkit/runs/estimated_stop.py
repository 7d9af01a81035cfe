"""The callback that ends training once the estimated error is small enough."""

from __future__ import annotations

import logging
import time
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from pinnkit.runs.feature_answers import FeatureAnswers
from pinnkit.settings import Settings
from pinnkit.training.module import PINN

log = logging.getLogger("pinnkit")

REST = 4.0
"""Seconds of training between two estimates, for each second that the former one took."""


class EstimatedStop(Callback):
    """Estimates the error now and then, and ends training where that of every field is at most `asked`.

    Args:
        every: steps between two estimates, at least.
        settings: of the run.
    """

    def __init__(self, asked: float, every: int, settings: Settings) -> None:
        self.asked, self.every, self.settings = asked, every, settings
        self._next = every
        self._rested = 0.0
        """The clock's time from which on the next estimate is due."""

    def on_train_batch_end(self, trainer: lightning.Trainer, module: PINN, *_: Any) -> None:  # type: ignore[override]
        step = module.progress.step
        if step < self._next or module.stopped or module.state.stage.at is not None:  # other equations are solved yet
            return
        self._next = step // self.every * self.every + self.every
        if module.ranks.any(time.perf_counter() < self._rested, module.device):  # all ranks do the same
            return
        began = time.perf_counter()
        answers = FeatureAnswers(module, self.settings)
        if answers.unready:
            return
        found = answers.estimate()
        ended = time.perf_counter()
        self._rested = ended + REST * (ended - began)
        known = {name: error for name, error in found.fields.items() if error is not None}
        told = ", ".join(f"{error:.1e} of {name}" for name, error in known.items()) or "not known"
        log.info("step %d: estimated error %s (%.1f s)", step, told, ended - began)
        for logger in trainer.loggers:
            logger.log_metrics({f"estimated_error/{name}": error for name, error in known.items()}, step=step)
        if len(known) == len(found.fields) and max(known.values(), default=0.0) <= self.asked:
            module.stop(f"the estimated error is at most {self.asked:g}")
